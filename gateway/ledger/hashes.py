"""Hashes of complete subtrees, from what a store holds.

Kept are the leaves (level 0, hashed again here) and every eighth level above; what lies
between is at most 255 hashes away. This costs a row per 256 entries instead of one each.
"""

from collections.abc import Sequence

from gateway.errors import IntegrityError
from gateway.ledger.tree import Node, ReadHashes
from gateway.store import Reader
from protocol.merkle import leaf_hash, node_hash

STEP = 8  # levels between stored ones; also the height of a C2SP tile
WIDTH = 1 << STEP


def reading(reader: Reader) -> ReadHashes:
    """`read_hashes` over one view of a store. IntegrityError where one is missing."""

    def read_hashes(nodes: Sequence[Node]) -> list[bytes]:
        return [_node(reader, level, n) for level, n in nodes]

    return read_hashes


def at_level(reader: Reader, level: int, start: int, stop: int) -> list[bytes]:
    """Stored hashes [start, stop) of a level that is a multiple of STEP."""
    if level == 0:
        return [leaf_hash(leaf) for leaf in reader.leaves(start, stop)]
    return reader.nodes(level, start, stop)


def climb(hashes: list[bytes]) -> bytes:
    """The root of a complete subtree from its 2**k hashes."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


def push(edge: list[list[bytes]], value: bytes, index: int) -> list[tuple[Node, bytes]]:
    """Adds leaf hash number `index` to the edge; returns the subtrees of 256 it fills.

    `edge[k]` holds the hashes of level 8k that do not fill a subtree of 256 yet.
    """
    filled: list[tuple[Node, bytes]] = []
    depth = 0
    while True:
        if depth == len(edge):
            edge.append([])
        edge[depth].append(value)
        if len(edge[depth]) < WIDTH:
            return filled
        value = climb(edge[depth])
        edge[depth].clear()
        depth += 1
        level = depth * STEP
        filled.append(((level, index >> level), value))


def _node(reader: Reader, level: int, n: int) -> bytes:
    above = level % STEP
    below = at_level(reader, level - above, n << above, (n + 1) << above)
    if len(below) != 1 << above:
        what = f"a hash under subtree ({level}, {n}) is missing"
        raise IntegrityError(n << level, what, one=False)
    return climb(below)
