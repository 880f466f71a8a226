"""Tree arithmetic and proof building (RFC 9162 §2.1).

Nothing here stores anything: each function lists the nodes it needs and asks `read_hashes`
for them once. A node is (level, n): the n-th complete subtree of 2**level leaves.
"""

from collections.abc import Callable, Sequence

from protocol.merkle import EMPTY_ROOT, node_hash

Node = tuple[int, int]
ReadHashes = Callable[[Sequence[Node]], list[bytes]]


def root(size: int, read_hashes: ReadHashes) -> bytes:
    """The root of the first `size` leaves."""
    if size == 0:
        return EMPTY_ROOT
    return _hashes_of([(0, size)], read_hashes)[0]


def inclusion_proof(index: int, size: int, read_hashes: ReadHashes) -> list[bytes]:
    """PATH(index, D[size]) (§2.1.3.1)."""
    spans: list[tuple[int, int]] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            spans.append((middle, stop))
            stop = middle
        else:
            spans.append((start, middle))
            start = middle
    return _hashes_of(spans[::-1], read_hashes)


def consistency_proof(old_size: int, new_size: int, read_hashes: ReadHashes) -> list[bytes]:
    """PROOF(old_size, D[new_size]) (§2.1.4.1)."""
    if old_size in (0, new_size):
        return []
    spans: list[tuple[int, int]] = []
    start, stop = 0, new_size
    while stop != old_size:
        middle = start + _split(stop - start)
        if old_size <= middle:
            spans.append((middle, stop))
            stop = middle
        else:
            spans.append((start, middle))
            start = middle
    if start:
        # the old tree's last subtree is not one the other side knows by itself
        spans.append((start, stop))
    return _hashes_of(spans[::-1], read_hashes)


def complete_subtrees(start: int, stop: int) -> list[Node]:
    """The largest complete subtrees that make up [start, stop), left to right.

    `start` is a multiple of the span's largest power of two, as every span of a proof is.
    """
    nodes = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """One hash of complete subtrees that stand left to right in falling size."""
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def _hashes_of(spans: list[tuple[int, int]], read_hashes: ReadHashes) -> list[bytes]:
    parts = [complete_subtrees(*span) for span in spans]
    hashes = iter(read_hashes([node for part in parts for node in part]))
    return [fold([next(hashes) for _ in part]) for part in parts]


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
