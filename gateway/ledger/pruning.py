"""Pruning: bodies deleted in steps that one transaction takes, each with the entry that says so.

A step is small enough not to keep a submission waiting, and its entry is in the ledger if and
only if the bodies are gone.
"""

from typing import NamedTuple

from gateway.ledger.batch import PACK, TAIL_BYTES, Kept, Submission
from gateway.ledger.log import Draft
from gateway.ledger.writer import LedgerWriter
from gateway.store import Reader, Selection, Transaction
from protocol import prune as prunes
from protocol.prune import PRUNED, Prune

MAX_ENTRIES = 4096
MAX_BYTES = 512 * 1024
_NOBODY = ""  # the source of what the gateway itself puts into the ledger


class Look(NamedTuple):
    """`step` is what there is to delete, if anything; look again from `next_start`."""

    step: Selection | None
    next_start: int


class Done(NamedTuple):
    """A step that was taken, and the index of the entry that records it."""

    recorded_at: int
    prune: Prune


def look(reader: Reader, wanted: Selection, max_bytes: int = MAX_BYTES) -> Look:
    """What one step may take of the first MAX_ENTRIES entries of `wanted`.

    At most `max_bytes` of bodies, but for a single body that is larger.
    """
    stop = min(wanted.stop, wanted.start + MAX_ENTRIES)
    found = reader.bodies(wanted._replace(stop=stop), MAX_ENTRIES)
    if not found:
        return Look(None, max(stop, wanted.start))
    first, size_bytes = found[0]
    for index, more in found[1:]:
        size_bytes += more
        if size_bytes > max_bytes:
            stop = index
            break
    return Look(wanted._replace(start=first, stop=stop), stop)


def commit(writer: LedgerWriter, step: Selection, why: str) -> Done | None:
    """Deletes the bodies of `step` and records it, both or neither; None if there were none.

    Raises Store*Error. The writer's thread.
    """
    planned, pruned = writer.commit_with(lambda transaction: _prune(transaction, step, why), {})
    recorded = [kept.index for kept in planned.outcomes if isinstance(kept, Kept)]
    return Done(recorded[0], pruned) if recorded else None


def _prune(transaction: Transaction, step: Selection, why: str) -> tuple[list[Submission], Prune]:
    # a device that sends a deleted pack again is still told "kept", by the end of its tag
    tails = []
    if step.kind in (None, PACK):
        tails = transaction.tails(step._replace(kind=PACK), TAIL_BYTES)
    # first what makes room: a full store has none for anything else
    deleted = transaction.delete_bodies(step)
    transaction.put_tails(tails)
    pruned = Prune(*step, why, *deleted)
    draft = Draft(PRUNED, _NOBODY, prunes.encode(pruned))
    return [Submission(draft)] if deleted.bodies else [], pruned
