"""`tallystick verify`: check a ledger as a stranger would, with `protocol` only.

Shares no code with the gateway: what it needs is in docs/wire-format.md. Recomputes every
entry in constant memory and holds the result to the signed checkpoint.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.progress import Progress

from protocol import checkpoint as notes
from protocol import leaf as leaves
from protocol.audit import Audit
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError, TamperedError
from protocol.note import VerifierKey, parse_key
from tools.sources import Ledger, Node, Row, Subtrees, UnusableError, ledgers

OK, WRONG, WRONG_USE = 0, 1, 2


@dataclass
class Verdict:
    """`first_bad` is the index of the first wrong entry. `signed` entries are under a signature."""

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


def verify(
    target: Annotated[
        str, typer.Argument(metavar="URL|DIR|FILE", help="a gateway, a directory, or ledger.sqlite")
    ],
    vkey: Annotated[
        str, typer.Option(help="the verifier key; a directory has its own beside the ledger")
    ] = "",
    token: Annotated[
        Path | None, typer.Option("--token-file", help="file with a token, for a URL")
    ] = None,
    held: Annotated[
        Path | None, typer.Option("--checkpoint", help="an older checkpoint to hold it to")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Recompute every hash, and say what was and was not checked. Exit 1 where it does not hold.

    Example: tallystick verify http://127.0.0.1:8080 --vkey example.org/garden+1a2b3c4d+AX…
    """
    try:
        secret = token.read_text().strip() if token else ""
        older = held.read_text(errors="replace") if held else ""
        _check_arguments(vkey, older)
        verdicts = verdicts_of(target, vkey, secret, older)
    except (UnusableError, OSError) as error:
        print(f"tallystick: {error}", file=sys.stderr)
        raise typer.Exit(WRONG_USE) from error
    if json_:
        print(json.dumps([asdict(verdict) for verdict in verdicts]))
    else:
        for verdict in verdicts:
            print(describe(verdict))
    raise typer.Exit(OK if all(verdict.valid for verdict in verdicts) else WRONG)


def _check_arguments(vkey: str, older: str) -> None:
    """UnusableError where what was given is none: that says nothing of the ledger."""
    try:
        if vkey:
            parse_key(vkey)
        if older:
            notes.unverified(older)
    except ProtocolError as error:
        raise UnusableError(f"what you gave to verify with: {error}") from error


def verdicts_of(target: str, vkey: str = "", token: str = "", older: str = "") -> list[Verdict]:
    """A verdict on each ledger that `target` names. UnusableError where it cannot be read."""
    verdicts = []
    for ledger in ledgers(target, vkey, token):
        try:
            verdicts.append(check(ledger, older))
        finally:
            ledger.close()
    if not vkey:
        for verdict in verdicts:
            if verdict.signed_by:
                verdict.unchecked.append("whose key it is: it lay beside the ledger; give --vkey")
    return verdicts


def check(ledger: Ledger, older: str = "") -> Verdict:
    """The verdict on one ledger; `older` is a note somebody kept."""
    verdict = Verdict(ledger.name)
    audit = Audit()
    try:
        for note in filter(None, (older, ledger.note)):
            _hold_to(audit, verdict, ledger, note)
        subtrees = Subtrees()
        for row in _shown(ledger):
            _check_place(audit, row)
            subtrees.add(audit.add(row.leaf, row.salt, row.body, row.chain))
        _check_end(audit, verdict, ledger, subtrees)
        verdict.valid = True
    except TamperedError as error:
        verdict.first_bad, verdict.reason = error.index, error.what
    except ProtocolError as error:
        verdict.first_bad, verdict.reason = audit.size, str(error)
    verdict.entries, verdict.root = audit.size, audit.root().hex()
    return verdict


def describe(verdict: Verdict) -> str:
    """For people: first what was checked, then what was not, then the verdict."""
    signature = (
        f"{verdict.signed} of them under a checkpoint signed by {verdict.signed_by}"
        if verdict.signed_by
        else f"{verdict.signed} of them under a checkpoint, signature not checked"
    )
    lines = [
        f"{verdict.source}  {verdict.origin}",
        f"  checked  {verdict.entries} entries: bodies, leaves, chain and tree; {signature}",
    ]
    lines += [f"  not      {what}" for what in verdict.unchecked]
    lines.append(f"  root     {verdict.root}")
    if verdict.valid:
        lines.append("  verdict  ok")
    else:
        lines.append(f"  verdict  WRONG at entry {verdict.first_bad}: {verdict.reason}")
    return "\n".join(lines)


def _hold_to(audit: Audit, verdict: Verdict, ledger: Ledger, note: str) -> None:
    signed: Checkpoint
    if ledger.vkey:
        key = parse_key(ledger.vkey)
        signed = notes.open_note(note, key, _verify_ed25519)
        verdict.signed_by = f"{key.name}+{key.key_id.hex()}"
    else:
        signed = notes.unverified(note)
        verdict.unchecked.append("the signature: give --vkey")
    verdict.origin, verdict.signed = signed.origin, max(verdict.signed, signed.size)
    audit.expect(signed)


def _check_place(audit: Audit, row: Row) -> None:
    if row.index != audit.size:
        raise TamperedError(audit.size, "the entry is missing")
    fields = leaves.decode(row.leaf)
    if row.columns and row.columns != (fields.kind, fields.source, fields.received_ms):
        raise TamperedError(row.index, "kind, source or time beside the leaf was changed")


def _check_end(audit: Audit, verdict: Verdict, ledger: Ledger, subtrees: Subtrees) -> None:
    if audit.size < verdict.signed:
        raise TamperedError(
            audit.size, f"the end is missing: a checkpoint of {verdict.signed} is signed"
        )
    if audit.size and not verdict.origin:
        raise TamperedError(0, "no checkpoint: nothing signed speaks of these entries")
    _check_subtrees(ledger.subtree_hashes(), subtrees)
    if audit.size > verdict.signed:
        verdict.unchecked.append(f"{audit.size - verdict.signed} newest entries: not signed yet")
    verdict.unchecked.append(
        "that everyone was shown this history: compare the root with another holder's"
    )
    verdict.unchecked.append("who measured: profile mac proves the device to its gateway only")


def _check_subtrees(stored: dict[Node, bytes] | None, subtrees: Subtrees) -> None:
    """Those that are stored are right, and none is missing; None where they are not shown."""
    if stored is None or stored == subtrees.hashes:
        return
    nodes = {**stored, **subtrees.hashes}
    level, n = min(
        (node for node in nodes if stored.get(node) != subtrees.hashes.get(node)),
        key=lambda node: (node[1] << node[0], node[0]),
    )
    raise TamperedError(n << level, f"the stored hash of subtree ({level}, {n}) is wrong")


def _shown(ledger: Ledger) -> Iterable[Row]:
    """The rows, with a progress bar where somebody is watching."""
    if not sys.stderr.isatty():
        yield from ledger.rows()
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"verifying {ledger.name}", total=ledger.size())
        for row in ledger.rows():
            if row.index % 1000 == 0:
                progress.update(task, completed=row.index)
            yield row


def _verify_ed25519(key: VerifierKey, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
