"""Prune: which bodies were deleted, as the ledger records it (wire-format §6.4).

The body of an entry of kind `pruned`. It says which entries are meant, so that a verifier
knows of each missing body who deleted it, and of each that came back that it should be gone.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader
from protocol.errors import MalformedError

PRUNED = "pruned"  # the kind of entry
# Their bodies say who may speak, whose key signs and what was deleted: never pruned.
KEPT_KINDS = ("enrolled", "revoked", "rotated", "recovered", "fault", PRUNED)
RETENTION, REDACTION = "retention", "redaction"  # a collector follows the second only
NEVER = 1 << 63  # past every index
_START, _STOP, _KIND, _SOURCE, _WHY, _COUNT, _BYTES = 1, 2, 3, 4, 5, 6, 7


class Prune(namedtuple("Prune", ("start", "stop", "kind", "source", "why", "count", "size_bytes"))):
    """Entries [start, stop), of one kind and source or of any (None).

    `count` bodies of `size_bytes` in all were there and are deleted, salts too.
    """

    start: int
    stop: int
    kind: str | None
    source: str | None
    why: str
    count: int
    size_bytes: int

    def covers(self, index: int, kind: str, source: str) -> bool:
        return (
            self.start <= index < self.stop
            and self.kind in (None, kind)
            and self.source in (None, source)
            and kind not in KEPT_KINDS
        )


class Prunes:
    """All prunes of a ledger, in memory that grows with the ranges they leave apart, no more."""

    def __init__(self) -> None:
        # (why, kind, source) -> ranges in order, no two of which touch
        self._ranges: dict[tuple[str, str | None, str | None], list[tuple[int, int]]] = {}

    def add(self, prune: Prune) -> None:
        if prune.start == prune.stop:
            return
        ranges = self._ranges.setdefault((prune.why, prune.kind, prune.source), [])
        first = _begun(ranges, prune.start)
        if first and ranges[first - 1][1] >= prune.start:
            first -= 1
        last = _begun(ranges, prune.stop)
        touched = ranges[first:last] + [(prune.start, prune.stop)]
        ranges[first:last] = [(min([a for a, _ in touched]), max([b for _, b in touched]))]

    def covers(self, index: int, kind: str, source: str, whys: tuple[str, ...]) -> tuple[bool, int]:
        """Whether the body was deleted for one of `whys`, and the index up to which that holds.

        That index is of entries of the same kind and source. It may hold further: ask again there.
        """
        if kind in KEPT_KINDS:
            return False, NEVER
        covered, stop, start = False, NEVER, NEVER
        for why in whys:
            for key in (
                (why, kind, source),
                (why, kind, None),
                (why, None, source),
                (why, None, None),
            ):
                ranges = self._ranges.get(key, [])
                place = _begun(ranges, index)
                if place and index < ranges[place - 1][1]:
                    covered, stop = True, min(stop, ranges[place - 1][1])
                elif place < len(ranges):
                    start = min(start, ranges[place][0])
        return covered, stop if covered else start


def _begun(ranges: list[tuple[int, int]], index: int) -> int:
    """How many of `ranges` start at or before `index`."""
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][0] <= index:
            low = middle + 1
        else:
            high = middle
    return low


def encode(prune: Prune) -> bytes:
    fields: dict[int, object] = {
        _START: prune.start,
        _STOP: prune.stop,
        _WHY: prune.why,
        _COUNT: prune.count,
        _BYTES: prune.size_bytes,
    }
    for label, text in ((_KIND, prune.kind), (_SOURCE, prune.source)):
        if text is not None:
            fields[label] = text
    return cbor.encode(fields)


def decode(data: bytes) -> Prune:
    fields = cbor_reader.decode(data)
    if not isinstance(fields, dict):
        raise MalformedError("a prune is a map")
    start, stop, count, size_bytes = [
        _number(fields.get(label)) for label in (_START, _STOP, _COUNT, _BYTES)
    ]
    if stop < start:
        raise MalformedError("a prune ends before it starts")
    why = fields.get(_WHY)
    if why not in (RETENTION, REDACTION):
        raise MalformedError(f"a prune for {why!r}")
    kind, source = [_text(fields.get(label)) for label in (_KIND, _SOURCE)]
    prune = Prune(start, stop, kind, source, why, count, size_bytes)
    if encode(prune) != data:
        raise MalformedError("a prune with a label that we do not know")
    return prune


def _number(value: object) -> int:
    if not isinstance(value, int) or value is True or value is False or value < 0:
        raise MalformedError("a prune's range and counts are whole numbers")
    return value


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise MalformedError("a prune's kind and source are text")
    return value
