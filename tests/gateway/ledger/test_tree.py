"""Roots and proofs against the RFC's own words, and its checking algorithms."""

import hashlib

import pytest

from gateway.ledger import tree
from gateway.ledger.tree import complete_subtrees
from protocol import merkle

SIZES = 600


def rfc_root(entries: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word: slow, recursive, and obviously right."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + rfc_root(entries[:k]) + rfc_root(entries[k:])).digest()


ENTRIES = [b"entry %d" % n for n in range(SIZES)]
ROOTS: dict[int, bytes] = {}
NODES: dict[tuple[int, int], bytes] = {}


def read_hashes(nodes):
    """Every complete subtree, worked out by the oracle and remembered."""
    for level, n in nodes:
        if (level, n) not in NODES:
            NODES[level, n] = rfc_root(ENTRIES[n << level : (n + 1) << level])
    return [NODES[node] for node in nodes]


def root(size: int) -> bytes:
    if size not in ROOTS:
        ROOTS[size] = rfc_root(ENTRIES[:size])
    return ROOTS[size]


def leaf(index: int) -> bytes:
    return merkle.leaf_hash(ENTRIES[index])


def some(stop: int) -> list[int]:
    """The ends, the powers of two and their neighbours, and a stride through the rest."""
    near = {n for power in range(10) for n in range((1 << power) - 1, (1 << power) + 2)}
    return sorted(n for n in near | {0, stop - 1} | set(range(0, stop, 37)) if 0 <= n < stop)


def test_root_is_that_of_the_rfc_at_every_size():
    for size in range(SIZES + 1):
        assert tree.root(size, read_hashes) == root(size), size


def test_every_small_inclusion_proof_leads_to_the_root():
    for size in range(1, 70):
        for index in range(size):
            proof = tree.inclusion_proof(index, size, read_hashes)
            found = merkle.root_from_inclusion(index, size, leaf(index), proof)
            assert found == root(size), (index, size)


def test_inclusion_proofs_lead_to_the_root_at_every_size():
    for size in range(1, SIZES + 1):
        for index in some(size):
            proof = tree.inclusion_proof(index, size, read_hashes)
            found = merkle.root_from_inclusion(index, size, leaf(index), proof)
            assert found == root(size), (index, size)


def test_an_inclusion_proof_is_of_one_entry_only():
    proof = tree.inclusion_proof(3, 10, read_hashes)

    assert merkle.root_from_inclusion(3, 10, leaf(4), proof) != root(10)


def test_every_small_consistency_proof_holds():
    for new in range(70):
        for old in range(new + 1):
            proof = tree.consistency_proof(old, new, read_hashes)
            assert merkle.is_consistent(old, root(old), new, root(new), proof), (old, new)


def test_consistency_proofs_hold_at_every_size():
    for new in range(1, SIZES + 1):
        for old in some(new + 1):
            proof = tree.consistency_proof(old, new, read_hashes)
            assert merkle.is_consistent(old, root(old), new, root(new), proof), (old, new)


def test_a_consistency_proof_is_of_one_past_only():
    for old, new in [(3, 7), (4, 7), (6, 8), (256, 300)]:
        proof = tree.consistency_proof(old, new, read_hashes)

        assert not merkle.is_consistent(old, root(old - 1), new, root(new), proof)
        assert not merkle.is_consistent(old, root(old), new, root(new - 1), proof)


@pytest.mark.parametrize(
    ("start", "stop", "nodes"),
    [
        (0, 0, []),
        (0, 1, [(0, 0)]),
        (0, 7, [(2, 0), (1, 2), (0, 6)]),
        (4, 6, [(1, 2)]),
        (0, 256, [(8, 0)]),
        (256, 259, [(1, 128), (0, 258)]),
    ],
)
def test_a_span_is_made_of_its_largest_subtrees(start, stop, nodes):
    assert complete_subtrees(start, stop) == nodes
