"""`tallystick verify`: check a ledger as a stranger would, with `protocol` only.

Shares no code with the gateway: what it needs is in docs/wire-format.md. Recomputes every
entry in constant memory and holds the result to the signed checkpoints.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.progress import Progress

from protocol import checkpoint as notes
from protocol.errors import ProtocolError, TamperedError
from protocol.note import VerifierKey, format_key, parse_key
from protocol.policy import Policy
from protocol.rulings import Rulings
from tools import policy as policies
from tools import proof
from tools.audit import Recount
from tools.sources import GIVEN, Ledger, UnusableError
from tools.targets import ledgers
from tools.verdict import Verdict, named, not_checked, not_told, outcome, scope

OK, WRONG, WRONG_USE = 0, 1, 2
Say = Callable[[str], None]
_Older = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", help="an older checkpoint to hold it to; as often as you like"),
]


def verify(
    target: Annotated[
        str, typer.Argument(metavar="URL|DIR|FILE", help="a gateway, its directory, or a proof")
    ],
    vkey: Annotated[
        str, typer.Option(help="the verifier key; a directory has its own beside the ledger")
    ] = "",
    token: Annotated[
        Path | None, typer.Option("--token-file", help="file with a token, for a URL")
    ] = None,
    held: _Older = None,
    policy: Annotated[
        Path | None, typer.Option(help="tlog-policy file: which witnesses must have cosigned")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Say what is and what is not checked, then recompute everything. Exit 1 if it does not hold.

    Example: tallystick verify http://127.0.0.1:8080 --vkey example.org/garden+1a2b3c4d+AX…
    """
    if Path(target).suffix in proof.SUFFIXES:
        kept = _at_most_one(held or ())
        return proof.check([Path(target)], [vkey] if vkey else None, policy, kept, json_)
    try:
        secret = token.read_text().strip() if token else ""
        older = [path.read_text(errors="replace") for path in held or ()]
        _check_arguments(vkey, older)
        say = _ignore if json_ else print
        rules = policies.load(policy) if policy else None
        verdicts = verdicts_of(target, vkey, secret, older, rules, say=say)
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


def verdicts_of(
    target: str,
    vkey: str = "",
    token: str = "",
    older: Sequence[str] = (),
    policy: Policy | None = None,
    *,
    say: Say = _ignore,
) -> list[Verdict]:
    """A verdict on each ledger that `target` names. UnusableError where it cannot be read."""
    verdicts = []
    for ledger in ledgers(target, vkey, token):
        try:
            verdicts.append(check(ledger, older, policy, say))
        finally:
            ledger.close()
    return verdicts


def check(
    ledger: Ledger,
    older: Sequence[str] = (),
    policy: Policy | None = None,
    say: Say = _ignore,
) -> Verdict:
    """The verdict on one ledger; `older` are notes that somebody kept.

    With a `policy`, enough of its witnesses have to have cosigned one of the notes, and the
    ledger has to be one of its logs, if it names any.
    """
    verdict = Verdict(ledger.name, ledger.origin, key_from=ledger.key_from)
    rulings = Rulings(ledger.rulings, verify_signature, is_copy=ledger.is_copy)
    recount = Recount(rulings)
    try:
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
        for _ in _watched(ledger, _recounted(ledger, rulings, recount)):
            pass
        _check_end(ledger, rulings, recount, verdict)
        verdict.valid = True
    except TamperedError as error:
        verdict.first_bad, verdict.reason = error.index, error.what
    except ProtocolError as error:
        verdict.first_bad, verdict.reason = recount.size, str(error)
    verdict.entries, verdict.root = recount.size, recount.root().hex()
    verdict.missing_bodies = recount.missing
    for line in outcome(verdict):
        say(line)
    return verdict


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


def _recounted(ledger: Ledger, rulings: Rulings, recount: Recount) -> Iterator[int]:
    """Recomputes page by page; yields how many entries are done."""
    while recount.size < ledger.size:
        rows = ledger.rows(recount.size, ledger.size)
        if not rows:
            raise TamperedError(recount.size, "the entry is missing")
        try:
            recount.add(rows)
        except TamperedError as error:
            # a gateway that deletes bodies while we look says so in an entry behind our last
            if not error.untold or not _is_told_more(ledger, rulings, recount):
                raise
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
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"verifying {ledger.name}", total=ledger.size)
        for done in work:
            progress.update(task, completed=done)
            yield done


def verify_signature(key: VerifierKey, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
