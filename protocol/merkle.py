"""Merkle tree hashing and the checking of its proofs (RFC 9162 §2.1).

Builds nothing that needs stored hashes: `Frontier` keeps log2(n) of them. Proofs are built
by the gateway; the algorithms here are the RFC's checking ones, not their mirror.
"""

import hashlib

from protocol.errors import MalformedError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees of a growing tree: one hash for each bit set in `size`."""

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Appends one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._hashes.pop(), node)
            size >>= 1
        self._hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in self._hashes[-2::-1]:
            root = node_hash(left, root)
        return root


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """The root of the tree of `size` leaves that `proof` puts leaf hash `index` in (§2.1.3.2)."""
    if not 0 <= index < size:
        raise MalformedError(f"entry {index} of {size}")
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise MalformedError("an inclusion proof that is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise MalformedError("an inclusion proof that is too short")
    return root


def is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: list[bytes]
) -> bool:
    """Whether `proof` shows the new tree to start with the old one (§2.1.4.2)."""
    if old_size == new_size or old_size == 0:
        return not proof and (old_size == 0 or old_root == new_root)
    if not 0 < old_size < new_size:
        return False
    hashes = list(proof)
    if old_size & old_size - 1 == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and old == old_root and new == new_root
