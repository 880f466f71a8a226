"""`tallystick fsck`: the gateway's own check of all that it keeps, beside it while it serves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.progress import Progress

from gateway import config as configs
from gateway.collect.origins import file_name
from gateway.config import COLLECTOR_FILE, CollectorConfig, GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.ledger import fsck as checks
from gateway.ledger.fsck import Options, Report
from gateway.store.sqlite import SqliteReader
from protocol import checkpoint as notes
from protocol.errors import MalformedError, ProtocolError
from protocol.note import VerifierKey, parse_key

OK, WRONG = 0, 1


class Ledger(NamedTuple):
    """`checkpoint` is the file that has to fit; None for a collector's copy, which has none."""

    path: Path
    origin: str
    key: VerifierKey | None
    checkpoint: Path | None


def fsck(
    path: Annotated[
        Path, typer.Argument(metavar="DIR", help="a gateway's or collector's; it may be running")
    ],
    since: Annotated[
        Path | None,
        typer.Option(help="a checkpoint that was verified: only check what came after it"),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Recompute all that DIR keeps, and say the first thing that is wrong. Exit 1 if anything is.

    Bodies, leaves, columns, chain, tree, stored hashes, numbers, rotations, deletions, states.
    Changes nothing, and remembers nothing.

    Example: tallystick fsck garden --since last-month.checkpoint
    """
    trusted = _since(since)
    found = [(ledger, checked(ledger, trusted)) for ledger in _ledgers(path)]
    if json_:
        print(json.dumps([as_json(*one) for one in found]))
    else:
        for ledger, report in found:
            print("\n".join(_lines(ledger, report)))
    raise typer.Exit(OK if all(report.valid for _, report in found) else WRONG)


def checked(ledger: Ledger, since: str) -> Report:
    """With a bar, where somebody is watching."""
    try:
        note = ledger.checkpoint.read_text(errors="replace") if ledger.checkpoint else ""
    except OSError as error:
        return Report(False, 0, "", "", reason=f"{ledger.checkpoint}: {error.strerror}")
    store = SqliteReader(ledger.path)
    try:
        with Progress(console=Console(stderr=True), transient=True) as bars:
            bar = bars.add_task(f"checking {ledger.path}", total=None)

            def progress(done: int, total: int) -> None:
                bars.update(bar, completed=done, total=total)

            options = Options(
                key=ledger.key,
                since=since,
                progress=progress,
                is_copy=ledger.checkpoint is None,
            )
            return checks.check(store, ledger.origin, note, options)
    finally:
        store.close()


def as_json(ledger: Ledger, report: Report) -> dict[str, Any]:
    shown: dict[str, Any] = report.as_json()
    return {"source": str(ledger.path), "origin": ledger.origin} | shown


def _ledgers(path: Path) -> list[Ledger]:
    if not (path / COLLECTOR_FILE).is_file():
        return [_of_gateway(Directory(path))]
    keys = map(_key, configs.load(path / COLLECTOR_FILE, CollectorConfig).trust)
    files = {path / file_name(key.name): key for key in keys}
    found = [Ledger(file, key.name, key, None) for file, key in files.items() if file.exists()]
    if not found:
        raise ConfigError(f"{path} has not collected anything yet", "wait for its first batch")
    return found


def _of_gateway(directory: Directory) -> Ledger:
    config = configs.load(directory.config, GatewayConfig)
    key = _key(directory.verifier.read_text().strip()) if directory.verifier.is_file() else None
    return Ledger(directory.ledger, config.origin, key, directory.checkpoint)


def _key(text: str) -> VerifierKey:
    try:
        return parse_key(text)
    except MalformedError as error:
        raise ConfigError(
            f"{text!r}: {error}", "copy the verifier key that `tallystick init` printed"
        ) from error


def _since(file: Path | None) -> str:
    """The note in `file`; ConfigError where it is none: that says nothing of the ledger."""
    if file is None:
        return ""
    try:
        note = file.read_text(errors="replace")
        notes.unverified(note)
    except (OSError, ProtocolError) as error:
        raise ConfigError(f"{file}: {error}", "give a file with a signed checkpoint") from error
    return note


def _lines(ledger: Ledger, report: Report) -> Iterator[str]:
    yield f"{ledger.path}  {ledger.origin}"
    if report.checked_from:
        yield f"  trusted  the first {report.checked_from} entries, verified before"
    if ledger.key is None:
        yield "  not      signatures: there is no verifier.key beside the ledger"
    yield f"  root     {report.root}"
    if report.valid:
        gone = f", {report.missing_bodies} bodies deleted" if report.missing_bodies else ""
        yield f"  verdict  ok: {report.entries} entries{gone}"
        return
    where = "" if report.first_bad is None else f" at entry {report.first_bad}"
    yield f"  verdict  WRONG{where}: {report.reason}"
