"""Verdict: what `verify` has to say of a ledger, in data and in words.

First what is and is not checked, then, when everything was read, whether it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from protocol.note import VerifierKey
from protocol.prune import Prune
from protocol.rulings import Rulings
from tools import end_to_end
from tools.end_to_end import EndToEnd
from tools.sources import BESIDE, NO_KEY, Ledger


@dataclass
class Verdict:
    """`first_bad` is the index of the first wrong entry. `signed` entries are under a signature,
    `cosigned` of them under one that enough witnesses have cosigned.

    `keys` are the ledger's, with the size up to which each signs (None: it still does).
    Of the missing bodies, `untold_bodies` are those of a copy that no entry tells of yet.
    `end_to_end` is what the devices' own signatures say, where that was asked for.
    """

    source: str
    origin: str = ""
    valid: bool = False
    entries: int = 0
    signed: int = 0
    root: str = ""
    signed_by: str | None = None
    first_bad: int | None = None
    reason: str | None = None
    unchecked: list[str] = field(default_factory=list)
    key_from: str = NO_KEY
    keys: list[tuple[str, int | None]] = field(default_factory=list)
    held_to: list[int] = field(default_factory=list)
    cosigned: int = 0
    cosigned_by: list[str] = field(default_factory=list)
    prunes: int = 0
    missing_bodies: int = 0
    untold_bodies: int = 0
    end_to_end: EndToEnd | None = None


def named(key: VerifierKey) -> str:
    return f"{key.name}+{key.key_id.hex()}"


def not_checked(ledger: Ledger, verdict: Verdict) -> Iterator[str]:
    """What no verification of this kind can say, known before it begins."""
    if ledger.size > verdict.signed:
        yield f"{ledger.size - verdict.signed} newest entries: not signed yet"
    if ledger.key_from == NO_KEY:
        yield "the signature: give --vkey"
    if not ledger.shows_nodes:
        yield "the stored subtree hashes: they are not served"
    if verdict.cosigned_by:
        if ledger.size > verdict.cosigned:
            yield f"{ledger.size - verdict.cosigned} newest entries: not cosigned by enough yet"
        yield "that those witnesses do not show two histories together"
    else:
        yield (
            "that everyone was shown this history: give --policy,"
            " or compare the root with another holder's"
        )
    if ledger.calls_itself_copy:
        yield (
            "a gateway's rule for missing bodies: the file calls itself a collector's copy;"
            " verify the directory that it is from"
        )
    yield from end_to_end.not_checked(verdict.end_to_end)
    if ledger.key_from == BESIDE:
        yield "whose key it is: it lay beside the ledger; give --vkey"


def not_told(verdict: Verdict) -> str:
    """What is only known when all was read."""
    return (
        f"{verdict.untold_bodies} bodies: they are missing, and no entry of this copy says why yet"
    )


def scope(ledger: Ledger, verdict: Verdict, rulings: Rulings) -> Iterator[str]:
    """Lines for people, before the work begins."""
    yield f"{verdict.source}  {verdict.origin}"
    yield f"  reads    {ledger.size} entries: {ledger.way}"
    yield "  checks   bodies, leaves, chain, tree, key rotations and deletions"
    yield f"  signed   {_signature(verdict)}"
    if verdict.cosigned_by:
        yield f"  cosigned {verdict.cosigned} of them, by {', '.join(verdict.cosigned_by)}"
    for name, stop in verdict.keys[:-1]:
        yield f"  rotated  at entry {stop}, away from {name}"
    for size in verdict.held_to:
        yield f"  held to  a checkpoint of {size} that you kept"
    if verdict.prunes:
        told = "; ".join(_prune(*one) for one in reversed(rulings.recent))
        yield f"  deleted  bodies, by {verdict.prunes} prunes, the newest first: {told}"
    for what in verdict.unchecked:
        yield f"  not      {what}"


def outcome(verdict: Verdict) -> Iterator[str]:
    """Lines for people, when all is done."""
    yield f"  root     {verdict.root}"
    if verdict.end_to_end is not None:
        yield from end_to_end.outcome(verdict.end_to_end)
    if not verdict.valid and verdict.first_bad is None:
        yield f"  verdict  WRONG: {verdict.reason}"
        return
    if not verdict.valid:
        yield f"  verdict  WRONG at entry {verdict.first_bad}: {verdict.reason}"
        return
    if verdict.untold_bodies:
        yield f"  not      {not_told(verdict)}"
    deleted = verdict.missing_bodies - verdict.untold_bodies
    gone = f", {deleted} bodies deleted" if deleted else ""
    yield f"  verdict  ok: {verdict.entries} entries{gone}"


def _signature(verdict: Verdict) -> str:
    if verdict.signed_by is None:
        return f"{verdict.signed} of them under a checkpoint, signature not checked"
    return (
        f"{verdict.signed} of them under a checkpoint signed by {verdict.signed_by};"
        f" the key: {verdict.key_from}"
    )


def _prune(index: int, prune: Prune) -> str:
    whose = " ".join(filter(None, (prune.kind, prune.source)))
    return (
        f"entry {index} ({prune.why}, {prune.count} in [{prune.start}, {prune.stop})"
        f"{' of ' + whose if whose else ''})"
    )
