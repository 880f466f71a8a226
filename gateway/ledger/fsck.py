"""fsck: recompute every hash of a ledger and say the first thing that is wrong.

Reads in short steps, so the writer is never kept waiting, and in constant memory.
"""

from typing import Any

import msgspec

from gateway.errors import GatewayError
from gateway.ledger import hashes
from gateway.store import Entry, Reader, Store
from protocol import leaf as leaves
from protocol.audit import Audit
from protocol.checkpoint import unverified
from protocol.errors import ProtocolError, TamperedError

_STEP = 1000


class Report(msgspec.Struct, frozen=True):
    """`first_bad` is the index of the first wrong entry; `root` covers `entries` leaves."""

    valid: bool
    entries: int
    root: str
    chain: str
    first_bad: int | None = None
    reason: str | None = None

    def as_json(self) -> Any:
        return msgspec.to_builtins(self)


def check(store: Store, origin: str, note: str = "") -> Report:
    """Checks all that is committed when it starts; `note` is a checkpoint to hold it to."""
    audit = Audit()
    try:
        last = store.read(lambda reader: reader.last())
        size = last.index + 1 if last else 0
        if note:
            signed = unverified(note)
            if signed.size > size:
                raise TamperedError(size, f"missing: a checkpoint of {signed.size} is signed")
            audit.expect(signed)
        while audit.size < size:
            start, stop = audit.size, min(audit.size + _STEP, size)
            for entry in _page(store, start, stop):
                _check_entry(audit, entry)
            if audit.size != stop:
                raise TamperedError(audit.size, "the entry is missing")
        store.read(lambda reader: _check_nodes(reader, size))
    except TamperedError as error:
        return _report(audit, error.index, error.what)
    except (ProtocolError, GatewayError) as error:
        return _report(audit, audit.size, str(error))
    return _report(audit, None, None)


def _page(store: Store, start: int, stop: int) -> list[Entry]:
    return store.read(lambda reader: reader.entries(start, stop))


def _check_entry(audit: Audit, entry: Entry) -> None:
    if entry.index != audit.size:
        raise TamperedError(audit.size, "the entry is missing")
    fields = leaves.decode(entry.leaf)
    if (fields.kind, fields.source, fields.received_ms) != (
        entry.kind,
        entry.source,
        entry.received_ms,
    ):
        raise TamperedError(entry.index, "kind, source or time beside the leaf was changed")
    audit.add(entry.leaf, entry.salt, entry.body, entry.chain)


def _check_nodes(reader: Reader, size: int) -> None:
    """Each stored subtree hash is that of the level below it."""
    level = hashes.STEP
    while size >> level:
        for n in range(size >> level):
            below = hashes.at_level(
                reader, level - hashes.STEP, n << hashes.STEP, (n + 1) << hashes.STEP
            )
            if reader.nodes(level, n, n + 1) != [hashes.climb(below)]:
                raise TamperedError(
                    n << level, f"the stored hash of subtree ({level}, {n}) is wrong"
                )
        level += hashes.STEP


def _report(audit: Audit, first_bad: int | None, reason: str | None) -> Report:
    return Report(
        valid=first_bad is None,
        entries=audit.size,
        root=audit.root().hex(),
        chain=audit.chain.hex(),
        first_bad=first_bad,
        reason=reason,
    )
