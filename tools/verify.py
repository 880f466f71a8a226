"""`tallystick verify`: check a ledger as a stranger would, with `protocol` only.

Shares no code with the gateway: what it needs is in docs/wire-format.md. Recomputes every
entry in constant memory and holds the result to the signed checkpoints.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from protocol import checkpoint as notes
from protocol.errors import ProtocolError, TamperedError
from protocol.note import format_key, parse_key
from protocol.policy import Policy
from protocol.rulings import Rulings
from tools import end_to_end, proof
from tools import policy as policies
from tools.audit import Recount
from tools.bars import Bars
from tools.end_to_end import Checking
from tools.proofs import verify_ed25519 as verify_signature
from tools.senders import load
from tools.sources import GIVEN, Ledger, UnusableError
from tools.targets import ledgers
from tools.verdict import Verdict, named, not_checked, not_told, outcome, scope

OK, WRONG, WRONG_USE = 0, 1, 2
Say = Callable[[str], None]
_Target = Annotated[str, typer.Argument(metavar="URL|DIR|FILE", help="its gateway, or a proof")]
_Vkey = Annotated[
    str, typer.Option(help="the verifier key; a directory has its own beside the ledger")
]
_Token = Annotated[Path | None, typer.Option("--token-file", help="file with a token, for a URL")]
_Older = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", help="an older checkpoint to hold it to; as often as you like"),
]
_Policy = Annotated[
    Path | None, typer.Option(help="tlog-policy file: which witnesses must have cosigned")
]
_EndToEnd = Annotated[
    bool, typer.Option("--end-to-end", help="check each pack's signature by its device, too")
]
_Keys = Annotated[
    Path | None, typer.Option(help="the devices' public keys, as `device list --keys` prints")
]


def verify(  # noqa: PLR0913, PLR0917  # its options are its parameters
    target: _Target,
    vkey: _Vkey = "",
    token: _Token = None,
    held: _Older = None,
    policy: _Policy = None,
    signatures: _EndToEnd = False,
    keys: _Keys = None,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Say what is and what is not checked, then recompute everything. Exit 1 if it does not hold.

    Example: tallystick verify http://127.0.0.1:8080 --vkey example.org/garden+1a2b3c4d+AX…
    """
    if Path(target).suffix in proof.SUFFIXES:
        kept = _at_most_one(held or ())
        return proof.check([Path(target)], [vkey] if vkey else None, policy, kept, keys, json_)
    try:
        secret = token.read_text().strip() if token else ""
        older = [path.read_text(errors="replace") for path in held or ()]
        _check_arguments(vkey, older)
        say = _ignore if json_ else print
        rules = policies.load(policy) if policy else None
        senders = partial(Checking, load(keys) if keys else None) if signatures or keys else None
        verdicts = verdicts_of(target, vkey, secret, Held(older, rules, senders), say=say)
    except (UnusableError, OSError) as error:
        print(f"tallystick: {error}", file=sys.stderr)
        raise typer.Exit(WRONG_USE) from error
    if json_:
        print(json.dumps([asdict(verdict) for verdict in verdicts]))
    raise typer.Exit(OK if all(verdict.valid for verdict in verdicts) else WRONG)


def _at_most_one(paths: Sequence[Path]) -> Path | None:
    if len(paths) > 1:
        print("tallystick: a proof goes on from one --checkpoint: give that one", file=sys.stderr)
        raise typer.Exit(WRONG_USE)
    return paths[0] if paths else None


def _ignore(line: str) -> None:
    pass


def _check_arguments(vkey: str, older: Sequence[str]) -> None:
    """UnusableError where what was given is none: that says nothing of the ledger."""
    try:
        if vkey:
            parse_key(vkey)
        for note in older:
            notes.unverified(note)
    except ProtocolError as error:
        raise UnusableError(f"what you gave to verify with: {error}") from error


class Held(NamedTuple):
    """Besides itself: notes that somebody kept, a policy, and what devices signed themselves."""

    older: Sequence[str] = ()
    policy: Policy | None = None
    senders: Callable[[], Checking] | None = None


NOTHING = Held()


def verdicts_of(
    target: str,
    vkey: str = "",
    token: str = "",
    held: Held = Held(),  # it does not change
    *,
    say: Say = _ignore,
) -> list[Verdict]:
    """A verdict on each ledger that `target` names. UnusableError where it cannot be read."""
    verdicts = []
    for ledger in ledgers(target, vkey, token):
        try:
            verdicts.append(check(ledger, held, say))
        finally:
            ledger.close()
    return verdicts


class _Work(NamedTuple):
    """What goes through the entries of one ledger."""

    ledger: Ledger
    rulings: Rulings
    recount: Recount
    senders: Checking | None


def check(ledger: Ledger, held: Held = NOTHING, say: Say = _ignore) -> Verdict:
    """The verdict on one ledger.

    With a policy, enough of its witnesses have to have cosigned one of the notes, and the
    ledger has to be one of its logs, if it names any.
    """
    verdict = Verdict(ledger.name, ledger.origin, key_from=ledger.key_from)
    rulings = Rulings(ledger.rulings, verify_signature, is_copy=ledger.is_copy)
    recount = Recount(rulings)
    senders = held.senders() if held.senders else None
    try:
        _go_through(_Work(ledger, rulings, recount, senders), held, verdict, say)
        verdict.valid = True
        _check_senders(senders, verdict)
    except TamperedError as error:
        verdict.first_bad, verdict.reason = error.index, error.what
    except ProtocolError as error:
        verdict.first_bad, verdict.reason = recount.size, str(error)
    verdict.entries, verdict.root = recount.size, recount.root().hex()
    verdict.missing_bodies = recount.missing
    for line in outcome(verdict):
        say(line)
    return verdict


def _go_through(work: _Work, held: Held, verdict: Verdict, say: Say) -> None:
    """All that can be wrong with a ledger by itself. ProtocolError."""
    ledger, rulings, recount, senders = work
    older, policy, _ = held
    verdict.end_to_end = senders.result if senders else None
    rulings.read_ahead(ledger.size)
    if policy and policy.logs:
        _go_by_logs(ledger, older, policy, rulings)
        verdict.key_from = ledger.key_from
    _hold_to_notes(ledger, older, rulings, recount, verdict)
    if policy:
        _check_cosigned([*older, *ledger.notes], policy, verdict)
    verdict.unchecked = list(not_checked(ledger, verdict))
    for line in scope(ledger, verdict, rulings):
        say(line)
    for _ in _watched(ledger, _recounted(work)):
        pass
    _check_end(ledger, rulings, recount, verdict)


def _check_senders(senders: Checking | None, verdict: Verdict) -> None:
    """What devices have signed has to be here as they signed it, or nothing is valid."""
    if senders is None:
        return
    result = senders.end()
    if not result.holds:
        verdict.valid, verdict.reason = False, end_to_end.reason(result)
        verdict.first_bad = result.faults[0][0] if result.faults else None


def _go_by_logs(ledger: Ledger, older: Sequence[str], policy: Policy, rulings: Rulings) -> None:
    """The key is one of the policy's, whatever lies beside the ledger. BadSignatureError."""
    shown = [*ledger.notes, *older]
    if shown and ledger.key_from != GIVEN:
        ledger.vkey = format_key(policies.log_key(policy, shown[0], rulings))
        ledger.key_from = GIVEN
    if ledger.vkey:
        policies.check_log(policy, rulings.keys(parse_key(ledger.vkey)))


def _hold_to_notes(
    ledger: Ledger, older: Sequence[str], rulings: Rulings, recount: Recount, verdict: Verdict
) -> None:
    """Opens every note with the key of its time, and notes what all of this is about."""
    trusted = parse_key(ledger.vkey) if ledger.vkey else None
    for note in (*older, *ledger.notes):
        signed, key = (
            rulings.open_note(note, trusted) if trusted else (notes.unverified(note), None)
        )
        if signed.origin != (verdict.origin or signed.origin):
            raise TamperedError(
                0, f"a checkpoint of {signed.origin!r} for a ledger of {verdict.origin!r}"
            )
        verdict.origin = signed.origin
        recount.expect(signed)
        if signed.size >= verdict.signed:
            verdict.signed, verdict.signed_by = signed.size, named(key) if key else None
    verdict.held_to = [notes.unverified(note).size for note in older]
    verdict.prunes = rulings.prune_count
    if trusted:
        epochs = rulings.keys(trusted).epochs
        ends = [after for after, _ in epochs[1:]]
        verdict.keys = [
            (named(key), end) for (_, key), end in zip(epochs, [*ends, None], strict=True)
        ]


def _check_cosigned(shown: Sequence[str], policy: Policy, verdict: Verdict) -> None:
    """After `_hold_to_notes`: every note is the ledger's own, and what is counted is held to it."""
    cosigned_by = policies.checker(policy, verify_signature)
    verdict.cosigned, verdict.cosigned_by = policies.largest_cosigned(shown, cosigned_by)


def _recounted(work: _Work) -> Iterator[int]:
    """Recomputes page by page; yields how many entries are done."""
    ledger, rulings, recount, senders = work
    while recount.size < ledger.size:
        rows = ledger.rows(recount.size, ledger.size)
        if not rows:
            raise TamperedError(recount.size, "the entry is missing")
        before = recount.size
        try:
            recount.add(rows)
        except TamperedError as error:
            # a gateway that deletes bodies while we look says so in an entry behind our last
            if not error.untold or not _is_told_more(ledger, rulings, recount):
                raise
        if senders:
            senders.add(rows[: recount.size - before])
        for level, n, value in recount.take_nodes():
            ledger.check_node(level, n, value)
        yield recount.size


def _is_told_more(ledger: Ledger, rulings: Rulings, recount: Recount) -> bool:
    """Whether the ledger has grown by something that may explain what we saw."""
    known = rulings.prune_count
    ledger.look_again()
    rulings.read_ahead(ledger.size)
    recount.rule_anew()
    return rulings.prune_count > known


def _check_end(ledger: Ledger, rulings: Rulings, recount: Recount, verdict: Verdict) -> None:
    if recount.size < verdict.signed:
        raise TamperedError(
            recount.size, f"the end is missing: a checkpoint of {verdict.signed} is signed"
        )
    if not verdict.held_to and not ledger.notes:
        raise TamperedError(0, "no checkpoint: nothing signed speaks of these entries")
    rulings.check_all_confirmed()
    if ledger.vkey and verdict.signed_by is None:
        raise TamperedError(0, "no checkpoint whose signature could be checked")
    ledger.check_strays()
    verdict.untold_bodies = rulings.untold
    if rulings.untold:
        verdict.unchecked.append(not_told(verdict))


def _watched(ledger: Ledger, work: Iterator[int]) -> Iterator[int]:
    """With a progress bar, where somebody is watching."""
    if not sys.stderr.isatty():
        yield from work
        return
    with Bars() as bars:
        for done in work:
            bars.show(f"verifying {ledger.name}", done, ledger.size)
            yield done
