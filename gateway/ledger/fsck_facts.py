"""What fsck reads beside the entries themselves: states, keys, and the entries that rule others."""

from typing import NamedTuple

from gateway.ledger import rotation, start
from gateway.store import Entry, Query, Reader
from protocol.rotation import Keys
from protocol.rulings import RULING, Ruling


class StateError(Exception):
    """Something is wrong, and it is no entry's."""


class Facts(NamedTuple):
    """What the store says beside its entries, in one view.

    `note` is the last one; of a copy, entries may be to come under it. `others` cover what is here.
    """

    size: int
    origin: str
    role: bytes | None
    note: str
    others: tuple[str, ...]
    keys: bytes | None


def facts_of(reader: Reader) -> Facts:
    def state(key: str) -> str:
        return (reader.state(key) or b"").decode(errors="replace")

    last = reader.last()
    return Facts(
        size=last.index + 1 if last else 0,
        origin=state(start.ORIGIN),
        role=reader.state(start.ROLE),
        note=state(start.CHECKPOINT),
        others=(state(start.ANCHORED), state(start.WHOLE)),
        keys=reader.state(rotation.KEYS),
    )


def keys_before(keys: Keys | None, size: int) -> Keys | None:
    """The keys as the first `size` entries tell of them; None where they tell of one only."""
    if keys is None:
        return None
    lines = keys.lines().splitlines(keepends=True)
    known = [line for line, (at, _) in zip(lines, keys.epochs, strict=True) if at < size]
    return Keys.parse("".join(known)) if len(known) > 1 else None


def rulings_among(reader: Reader, start: int, stop: int) -> list[Ruling]:
    """Entries [start, stop) of the kinds that rule others, in order."""
    found: list[Entry] = []
    for kind in RULING:
        query = Query(after=start - 1, kind=kind, limit=stop - start, scan=stop - start)
        found += reader.select(query).entries
    found.sort(key=lambda entry: entry.index)
    return [Ruling(entry.index, entry.kind, entry.leaf, entry.salt, entry.body) for entry in found]
