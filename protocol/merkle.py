"""Merkle tree hashing and the checking of its proofs (RFC 9162 §2.1).

Builds nothing that needs stored hashes: `Frontier` keeps log2(n) of them. Proofs are built
by the gateway; the algorithms here are the RFC's checking ones, not their mirror.
"""

import hashlib

from protocol.errors import MalformedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees of a growing tree: one hash for each bit set in `size`.

    To go on with a tree, give its size and the hashes of its complete subtrees, largest first.
    """

    def __init__(self, size: int = 0, hashes: "Sequence[bytes]" = ()) -> None:
        self.size = size
        self._hashes = list(hashes)

    def add(self, leaf: bytes) -> None:
        """Appends one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._hashes.pop(), node)
            size >>= 1
        self._hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        return _folded(self._hashes[:-1], self._hashes[-1]) if self._hashes else EMPTY_ROOT

    def root_after(self, leaf: bytes) -> bytes:
        """The root as it would be with one more leaf hash."""
        return _folded(self._hashes, leaf)


def _folded(lefts: list[bytes], root: bytes) -> bytes:
    for left in reversed(lefts):
        root = node_hash(left, root)
    return root


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """The root of the tree of `size` leaves that `proof` puts leaf hash `index` in (§2.1.3.2)."""
    if not 0 <= index < size:
        raise MalformedError(f"entry {index} of {size}")
    sides = _left_sides(index, size - 1)
    if len(proof) != len(sides):
        raise MalformedError(f"an inclusion proof of {len(proof)} hashes, not {len(sides)}")
    root = leaf
    for sibling, is_left in zip(proof, sides):  # noqa: B905 (boards have no `strict`)
        root = node_hash(sibling, root) if is_left else node_hash(root, sibling)
    return root


def is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: list[bytes]
) -> bool:
    """Whether `proof` shows the new tree to start with the old one (§2.1.4.2).

    No entries are the start of every tree, and a tree is its own start: neither has a proof.
    """
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof
    return roots_from_consistency(old_size, old_root, new_size, proof) == (old_root, new_root)


def roots_from_consistency(
    old_size: int, old_root: bytes, new_size: int, proof: list[bytes]
) -> tuple[bytes, bytes] | None:
    """The roots of the two trees that `proof` is about; None where it has no right length.

    A proof that leads to the new root, but from another old one, shows that the new tree does
    not start with `old_root`. (Where `old_size` is a power of two no proof can show that.)
    """
    if not 0 < old_size < new_size:
        return None
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    # a complete old tree is itself the first hash, and not repeated in the proof
    hashes = proof if old_size & old_size - 1 else [old_root] + proof
    sides = _left_sides(node, last)
    if len(hashes) != 1 + len(sides):
        return None
    old = new = hashes[0]
    for sibling, is_left in zip(hashes[1:], sides):  # noqa: B905 (as above)
        if is_left:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old, new


def _left_sides(node: int, last: int) -> list[bool]:
    """Which siblings on the way from `node` up to the root are on its left.

    `last` is the last node of the same level. Levels where a node has no sibling are skipped.
    """
    sides = []
    while last:
        is_left = node & 1 == 1 or node == last
        sides.append(is_left)
        while is_left and not node & 1:
            node >>= 1
            last >>= 1
        node >>= 1
        last >>= 1
    return sides
