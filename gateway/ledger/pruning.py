"""Pruning: bodies deleted in steps that one transaction takes, each with the entry that says so.

A step is small enough not to keep a submission waiting, and its entry is in the ledger if and
only if the bodies are gone.
"""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from gateway.ledger.batch import TAIL_BYTES, TAILED, Kept, Submission
from gateway.ledger.log import Draft
from gateway.ledger.writer import LedgerWriter
from gateway.store import Deleted, Reader, Selection, Transaction
from protocol import prune as prunes
from protocol.prune import PRUNED, REDACTION, RETENTION, Prune

MAX_ENTRIES = 4096
MIN_BYTES, MAX_BYTES = 64 * 1024, 256 * 1024  # of bodies; fewer free hardly more than they cost
_STEP_S = 0.025  # what a step may take: whatever is submitted meanwhile waits
Index = Annotated[int, Meta(ge=0, le=1 << 62)]
_NOBODY = ""  # the source of what the gateway itself puts into the ledger


class Look(NamedTuple):
    """`step` holds `found`, None where there is nothing; look again from `next_start`."""

    step: Selection | None
    found: Deleted
    next_start: int


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody wants deleted: of entries [start, stop), up to the first one of `before_ms`."""

    start: Index = 0
    stop: Index | None = None
    before_ms: Index | None = None
    kind: str | None = None
    source: str | None = None
    redact: bool = False  # collectors delete it, too
    even_unforwarded: bool = False
    dry_run: bool = False

    @property
    def why(self) -> str:
        return REDACTION if self.redact else RETENTION


class Done(NamedTuple):
    """A step that was taken, and the index of the entry that records it."""

    recorded_at: int
    prune: Prune


class Pace:
    """How many bytes of bodies a step may have on this machine, as it turns out.

    The writer's thread tells it, anyone may ask.
    """

    def __init__(self) -> None:
        self.step_bytes = 2 * MIN_BYTES

    def took(self, seconds: float) -> None:
        """The last step did; the next one may have less, or more if it was well within."""
        if seconds > _STEP_S:
            self.step_bytes = max(self.step_bytes // 2, MIN_BYTES)
        elif seconds < _STEP_S / 2:
            self.step_bytes = min(self.step_bytes * 5 // 4, MAX_BYTES)


def look(
    reader: Reader, wanted: Selection, max_bytes: int = MAX_BYTES, why: str = RETENTION
) -> Look:
    """What one step may take of the first MAX_ENTRIES entries of `wanted`.

    At most `max_bytes` of bodies, but for a single body that is larger. What resources consist
    of now is passed over, unless it is to be redacted.
    """
    stop = min(wanted.stop, wanted.start + MAX_ENTRIES)
    found = reader.bodies(wanted._replace(stop=stop), MAX_ENTRIES)
    spared: set[int] = set()
    if found and why == RETENTION:
        spared = set(reader.parts.among(wanted._replace(start=found[0][0], stop=found[-1][0] + 1)))
    start, count, size_bytes = stop, 0, 0
    for index, more in found:
        if index in spared and not count:
            continue
        if index in spared or (count and size_bytes + more > max_bytes):
            stop = index
            break
        start, count, size_bytes = min(start, index), count + 1, size_bytes + more
    step = wanted._replace(start=start, stop=stop) if count else None
    return Look(step, Deleted(count, size_bytes), max(stop, wanted.start))


def follow(
    reader: Reader, order: Order, limit: int, max_bytes: int = MAX_BYTES
) -> tuple[Look, Order | None]:
    """A look at what is next of `order` before entry `limit`, and what is left of it then."""
    stop = limit if order.stop is None else min(order.stop, limit)
    if order.before_ms is not None:
        window = min(order.start + MAX_ENTRIES, stop)
        young = reader.first_later(order.start, window, order.before_ms)
        stop = young if young < window else stop
    wanted = Selection(order.start, stop, order.kind, order.source)
    found = look(reader, wanted, max_bytes, order.why)
    if found.next_start >= stop:
        return found, None
    return found, msgspec.structs.replace(order, start=found.next_start)


def held_back(order: Order, last: Look, limit: int, size: int) -> int:
    """How many entries of `order` are past `limit`, where that is what ended it."""
    if last.next_start < limit:
        return 0
    wanted = size if order.stop is None else min(order.stop, size)
    return max(wanted - max(limit, order.start), 0)


def commit(writer: LedgerWriter, step: Selection, why: str) -> Done | None:
    """Deletes the bodies of `step` and records it, both or neither; None if there were none.

    Raises Store*Error. The writer's thread.
    """
    planned, pruned = writer.commit_with(lambda transaction: _prune(transaction, step, why), {})
    recorded = [kept.index for kept in planned.outcomes if isinstance(kept, Kept)]
    return Done(recorded[0], pruned) if recorded else None


def _prune(transaction: Transaction, step: Selection, why: str) -> tuple[list[Submission], Prune]:
    last = transaction.last()
    step = step._replace(stop=min(step.stop, last.index + 1 if last else 0))
    # a device that sends a deleted pack again is still told "kept", by the end of its tag, and
    # the history of a path stays a chain, by what each change followed
    tails = []
    for kind in TAILED:
        if step.kind in (None, kind):
            tails += transaction.tails(step._replace(kind=kind), TAIL_BYTES)
    # first what makes room: a full store has none for anything else
    deleted = transaction.delete_bodies(step)
    # what damage has left of a body may be shorter than that
    transaction.put_tails([(index, tail.rjust(TAIL_BYTES, b"\x00")) for index, tail in tails])
    pruned = Prune(*step, why, *deleted)
    draft = Draft(PRUNED, _NOBODY, prunes.encode(pruned))
    return [Submission(draft)] if deleted.bodies else [], pruned
