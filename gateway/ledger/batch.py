"""Batch: which submissions of one transaction become entries, and what each hears.

(kid, epoch, sequence) decides, with no time window: the same bytes again get the same
answer, other bytes under a number that is taken get a conflict and leave an alert.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from gateway.errors import ConflictError, GatewayError, IntegrityError
from gateway.ledger.changes import Changes, Wish
from gateway.ledger.log import Draft
from gateway.ledger.seen import Seen
from gateway.store import Entry, Reader, Transaction
from protocol import leaf as leaves
from protocol.merkle import leaf_hash
from protocol.resource import CHANGES

PACK = "pack"  # the kind of entry an envelope becomes
ALERT = "alert"  # the kind of entry a conflict leaves
TAIL_BYTES = 8  # of an envelope's tag, or of a change's `before`, kept when the body is deleted
TAILED = (PACK, *CHANGES)  # the kinds of which that is kept

CARRIED = -1  # for an index: the number was taken in the ledger before this one
# These stand where a kid does, and no device has one of them, short of a 64-bit collision.
CHANGES_KID = b"changes\x00"  # numbers the changes of members
FAULTS_KID = b"faults\x00\x00"  # numbers what damage was found
CONTROL_KID = b"control\x00"  # numbers what devices are to be told
# They count what is in this ledger, and in no other.
OWN_KIDS = (CHANGES_KID, CONTROL_KID, FAULTS_KID)


class Number(NamedTuple):
    kid: bytes
    epoch: int
    sequence: int


class Submission(NamedTuple):
    """`number` is None for what nobody numbers: the changes of resources, which have a wish."""

    draft: Draft
    number: Number | None = None
    wish: Wish | None = None


class Kept(msgspec.Struct, frozen=True):
    """`repeat`: it was in the log before, and nothing was written."""

    index: int
    repeat: bool


class Applied(Kept, frozen=True):
    """A resource was changed. Its ETag is None where it was deleted.

    `superseded` is the first entry that made it up and does no more.
    """

    etag: bytes | None
    created: bool
    superseded: int | None


class Plan(NamedTuple):
    """`numbers` and `outcomes` speak of final indexes: the log grows by `drafts`, in order."""

    drafts: list[Draft]
    numbers: dict[Number, int]
    outcomes: list[Kept | GatewayError]
    alerts: list[Number]
    changes: Changes


def plan(
    submissions: Sequence[Submission], size: int, reader: Reader, seen: Seen, alerted: set[Number]
) -> Plan:
    """`alerted` are conflicts already in the log: a device that insists leaves one alert."""
    result = Plan([], {}, [], [], Changes(size, reader))
    for draft, number, wish in submissions:
        if number is None:
            _add_unnumbered(draft, wish, size, result)
            continue
        if number not in result.numbers and seen.is_new(number, reader):
            result.numbers[number] = _add(draft, size, result)
            continue
        try:
            taken = _taken(number, size, result, reader)
            is_repeat = taken is not None and _holds(taken, draft.body, size, result, reader)
        except IntegrityError as error:  # damage to one number stops nobody else's
            result.outcomes.append(error)
            continue
        if taken is None:
            result.numbers[number] = _add(draft, size, result)
        elif is_repeat:
            result.outcomes.append(Kept(taken, repeat=True))
        else:
            result.outcomes.append(_conflict(draft.source, number, taken))
            if number not in alerted and number not in result.alerts:
                result.alerts.append(number)
                # the refused bytes themselves are the evidence
                result.drafts.append(Draft(ALERT, draft.source, draft.body))
    return result


def _add(draft: Draft, size: int, so_far: Plan) -> int:
    index = size + len(so_far.drafts)
    so_far.drafts.append(draft)
    so_far.outcomes.append(Kept(index, repeat=False))
    return index


def keep_changes(planned: Plan, transaction: Transaction, entries: Sequence[Entry]) -> None:
    """What the changes among `entries`, which the plan became, make of the resources."""
    if not planned.changes.decided:
        return
    planned.changes.put(transaction)
    first = entries[0].index
    by_index = {decided.at: decided for decided in planned.changes.decided}
    for place, kept in enumerate(planned.outcomes):
        decided = by_index.get(kept.index) if isinstance(kept, Kept) and not kept.repeat else None
        if decided is not None:
            etag = leaf_hash(entries[decided.at - first].leaf) if decided.part else None
            planned.outcomes[place] = Applied(
                decided.at, False, etag, decided.created, decided.superseded
            )


def _add_unnumbered(draft: Draft, wish: Wish | None, size: int, so_far: Plan) -> None:
    if wish is None:
        _add(draft, size, so_far)
        return
    kind, path, content = draft
    try:
        body = so_far.changes.decide(kind, path, content, wish, size + len(so_far.drafts))
    except GatewayError as error:
        so_far.outcomes.append(error)
    else:
        _add(Draft(kind, path, body), size, so_far)


def _taken(number: Number, size: int, so_far: Plan, reader: Reader) -> int | None:
    index = so_far.numbers.get(number)
    if index is None:
        index = reader.number(*number)
        if index is not None and index >= size:
            raise IntegrityError(index, "a number leads past the end of the ledger")
    return index


def _holds(index: int, body: bytes, size: int, so_far: Plan, reader: Reader) -> bool:
    if index == CARRIED:
        return False  # its bytes are in the ledger before this one, if anywhere
    if index >= size:
        return so_far.drafts[index - size].body == body
    found = reader.entries(index, index + 1)
    if not found:
        raise IntegrityError(index, "a number leads to no entry")
    entry = found[0]
    if entry.body is None:  # deleted since; what sends again has shown a tag of its own
        return reader.tail(index) == body[-TAIL_BYTES:]
    return leaves.commits_to(entry.leaf, entry.salt, body)


def _conflict(source: str, number: Number, taken: int) -> ConflictError:
    held = "was taken before this ledger"
    if taken != CARRIED:
        held = f"is entry {taken} with other bytes"
    return ConflictError(f"{source}: epoch {number.epoch} sequence {number.sequence} {held}")
