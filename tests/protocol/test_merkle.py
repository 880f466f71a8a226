import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import merkle
from protocol.errors import MalformedError
from tests.protocol import oracles, strategies

LARGEST = 70
ENTRIES = [b"entry %d" % index for index in range(LARGEST)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
ROOTS = [oracles.root(ENTRIES[:size]) for size in range(LARGEST + 1)]
sizes = st.integers(1, LARGEST)
proofs = st.lists(strategies.hashes, max_size=9)


def _flips(proof):
    """`proof` with one bit wrong, once in each hash."""
    for index, node in enumerate(proof):
        yield [*proof[:index], bytes((node[0] ^ 1,)) + node[1:], *proof[index + 1 :]]


def test_a_growing_tree_has_the_root_of_the_rfc_at_every_size():
    frontier = merkle.Frontier()

    for size, leaf in enumerate(LEAVES):
        assert (frontier.size, frontier.root()) == (size, ROOTS[size])
        assert frontier.root_after(leaf) == ROOTS[size + 1]
        frontier.add(leaf)

    assert frontier.root() == ROOTS[LARGEST]


def test_every_entry_is_proved_in_a_tree_of_every_size():
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = oracles.inclusion(index, ENTRIES[:size])
            assert merkle.root_from_inclusion(index, size, LEAVES[index], proof) == ROOTS[size]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 32, 33, 70])
def test_no_entry_is_proved_at_another_index_or_by_another_proof(size):
    for index in range(size):
        proof = oracles.inclusion(index, ENTRIES[:size])
        for other in range(size):
            assert other == index or not _proves(other, size, LEAVES[index], proof)
        for wrong in [*_flips(proof), proof[:-1], [*proof, bytes(32)], proof[::-1]]:
            assert wrong == proof or not _proves(index, size, LEAVES[index], wrong)


def _proves(index, size, leaf, proof):
    try:
        return merkle.root_from_inclusion(index, size, leaf, proof) == ROOTS[size]
    except MalformedError:
        return False


def test_every_tree_is_proved_to_be_the_start_of_every_larger_one():
    for new in range(LARGEST + 1):
        for old in range(new + 1):
            proof = oracles.consistency(old, ENTRIES[:new])
            assert merkle.is_consistent(old, ROOTS[old], new, ROOTS[new], proof)


@given(sizes, sizes)
def test_no_other_root_size_or_proof_is_consistent(old, new):
    old, new = min(old, new), max(old, new)
    proof = oracles.consistency(old, ENTRIES[:new])

    assert not merkle.is_consistent(old, bytes(32), new, ROOTS[new], proof)
    assert not merkle.is_consistent(old, ROOTS[old], new, bytes(32), proof)
    for wrong in [*_flips(proof), proof[:-1], [*proof, bytes(32)], proof[::-1]]:
        assert wrong == proof or not merkle.is_consistent(old, ROOTS[old], new, ROOTS[new], wrong)
    for size in range(1, LARGEST + 1):
        if size != old:
            assert not merkle.is_consistent(size, ROOTS[old], new, ROOTS[new], proof)


@given(st.integers(-2, 1 << 70), st.integers(-2, 1 << 70), strategies.hashes, proofs)
def test_an_invented_inclusion_proof_proves_nothing(index, size, leaf, proof):
    assert not _invented(index, size, leaf, proof)


def _invented(index, size, leaf, proof):
    try:
        return merkle.root_from_inclusion(index, size, leaf, proof) in ROOTS
    except MalformedError:
        return False


@given(st.integers(-2, 1 << 70), st.integers(-2, 1 << 70), strategies.hashes, proofs)
def test_an_invented_consistency_proof_proves_nothing(old, new, root, proof):
    proved = merkle.is_consistent(old, root, new, ROOTS[LARGEST], proof)

    assert not proved or (old == 0 and not proof)


def test_nothing_is_an_entry_of_the_empty_tree():
    with pytest.raises(MalformedError, match="entry 0 of 0"):
        merkle.root_from_inclusion(0, 0, LEAVES[0], [])


def test_a_leaf_is_never_taken_for_a_node():
    left, right = LEAVES[:2]

    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
    assert merkle.node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
