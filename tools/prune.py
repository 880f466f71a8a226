"""`tallystick prune`: bodies deleted by hand; the ledger says so, and goes on verifying."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from gateway.errors import ConfigError
from gateway.ledger.pruning import Order
from protocol.prune import KEPT_KINDS
from tools.prunable import Prunable, prunable

_SHOWN = 1_000_000  # bytes in what is called MB
_Target = Annotated[
    str, typer.Argument(metavar="DIR|URL", help="a stopped gateway's directory, or a running one")
]
_Source = Annotated[str, typer.Option(help="of this device only")]
_Kind = Annotated[str, typer.Option(help="of this kind only, such as pack or alert")]
_Before = Annotated[str, typer.Option(metavar="TIME", help="received before: RFC 3339, or Unix ms")]
_Range = Annotated[
    str, typer.Option("--range", metavar="A:B", help="of entries A to B, B excluded")
]
_Index = Annotated[int | None, typer.Option(min=0, help="of this entry only")]
_Redact = Annotated[
    bool, typer.Option("--redact", help="collectors delete it, too; otherwise they keep it")
]
_Unforwarded = Annotated[
    bool, typer.Option("--even-unforwarded", help="also what the collector does not have yet")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="only say how much it is")]
_Token = Annotated[
    Path | None, typer.Option("--token-file", help="file with an admin token, for a URL")
]


class Summary(NamedTuple):
    """`recorded_at` are the entries that say so."""

    bodies: int
    size_bytes: int
    recorded_at: list[int]
    held_back: int
    erased: bool


def prune(  # noqa: PLR0913  # options of a command
    target: _Target,
    *,
    source: _Source = "",
    kind: _Kind = "",
    before: _Before = "",
    range_: _Range = "",
    index: _Index = None,
    redact: _Redact = False,
    even_unforwarded: _Unforwarded = False,
    dry_run: _DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    token: _Token = None,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Delete the bodies of entries, for good. Their leaves stay, and the ledger verifies.

    Example: tallystick prune garden --source cellar-1 --before 2026-01-01T00:00:00Z --redact
    """
    if not any((source, kind, before, range_)) and index is None:
        raise ConfigError("that would be every body there is", "say which; all is --range 0:")
    start, stop = _range(range_, index)
    order = Order(
        start=start,
        stop=stop,
        before_ms=_moment(before) if before else None,
        kind=_kind(kind),
        source=source or None,
        redact=redact,
        even_unforwarded=even_unforwarded,
        dry_run=dry_run,
    )
    with prunable(target, token.read_text().strip() if token else "") as held:
        if not (dry_run or yes):
            _confirm(held, order)
        summary = _follow(held, order)
    print(json.dumps(summary._asdict()) if json_ else _told(summary, order))


def _confirm(held: Prunable, order: Order) -> None:
    """Ends the command where the answer is no."""
    counted = _follow(held, msgspec.structs.replace(order, dry_run=True))
    where = ", at collectors too" if order.redact else "; collectors keep theirs"
    typer.confirm(
        f"delete {_amount(counted)} for good{where}. It cannot be undone. Sure?",
        abort=True,
        err=True,
    )


def _follow(held: Prunable, order: Order) -> Summary:
    """Step by step to the end, with a progress bar where somebody is watching."""
    bodies = size_bytes = 0
    recorded_at: list[int] = []
    size = held.size() if order.stop is None else order.stop
    with Progress(console=Console(stderr=True), transient=True, disable=not _watched()) as progress:
        task = progress.add_task("counting" if order.dry_run else "deleting", total=size)
        left: Order | None = order
        while left is not None:
            part = held.follow(left)
            bodies, size_bytes = bodies + part.bodies, size_bytes + part.size_bytes
            recorded_at += [] if part.recorded_at is None else [part.recorded_at]
            left = None
            if part.next_start is not None:
                progress.update(task, completed=part.next_start)
                left = msgspec.structs.replace(order, start=part.next_start)
    return Summary(bodies, size_bytes, recorded_at, part.held_back, part.erased)


def _watched() -> bool:
    return sys.stderr.isatty()


def _told(summary: Summary, order: Order) -> str:
    lines = [f"{'would delete' if order.dry_run else 'deleted'} {_amount(summary)}"]
    if summary.recorded_at:
        first, last = summary.recorded_at[0], summary.recorded_at[-1]
        entries = f"entry {first} says" if first == last else f"entries {first} to {last} say"
        lines.append(f"{entries} so")
    if summary.held_back:
        lines.append(
            f"{summary.held_back} entries were passed over: the collector does not have them yet;"
            " --even-unforwarded takes them, too"
        )
    if order.redact and not order.dry_run and not summary.erased:
        lines.append(
            "the log beside the ledger may still hold them: somebody reads an old state of it;"
            " a running gateway erases it by itself within seconds"
        )
    return "\n".join(lines)


def _amount(summary: Summary) -> str:
    return f"{summary.bodies} bodies, {summary.size_bytes / _SHOWN:.1f} MB"


def _range(text: str, index: int | None) -> tuple[int, int | None]:
    """A:B, A: or :B; --index N is N:N+1."""
    if index is not None:
        if text:
            raise ConfigError("--index and --range are two answers", "give one of them")
        return index, index + 1
    start, colon, stop = text.partition(":")
    whole = (start or "0").isdecimal() and (stop or "0").isdecimal()
    if text and not (colon and whole and text.isascii()):
        raise ConfigError(
            f"--range is A:B, not {text!r}", "write it like 0:1000, or 1000: to the end"
        )
    return int(start or 0), int(stop) if stop else None


def _moment(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            f"--before is a time with its zone, not {text!r}", "write it like 2026-01-01T00:00:00Z"
        )
    return int(moment.timestamp() * 1000)


def _kind(text: str) -> str | None:
    if text in KEPT_KINDS:
        raise ConfigError(
            f"entries of kind {text!r} are never pruned",
            "their bodies say who may speak and what was deleted",
        )
    return text or None
