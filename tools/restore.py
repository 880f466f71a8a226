"""`tallystick restore`: a backup becomes a gateway again, and never a second history."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway import restore as restores
from gateway.restore import Restored, Wish
from tools.bars import Bars
from tools.recover import as_json, tell, text_of


def restore(  # noqa: PLR0913, PLR0917  # each is an option
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="made by `tallystick backup`")],
    target: Annotated[Path, typer.Argument(metavar="DIR", help="a directory that is new or empty")],
    note: Annotated[
        Path | None,
        typer.Option("--checkpoint", help="file with the newest checkpoint that anybody holds"),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="file with the ledger's key, if the backup has it not")
    ] = None,
    new_origin: Annotated[
        str, typer.Option(help="go on as another ledger, that names the old one")
    ] = "",
    without_numbers: Annotated[
        bool, typer.Option("--without-numbers", help="with --new-origin: the copy cannot be read")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Make DIR of BACKUP, if that continues the newest checkpoint; else as another ledger.

    A copy that is behind would sign a second history: the collector has the newest checkpoint
    (GET /origins), or whoever keeps them.

    Example: tallystick restore /mnt/usb/garden-monday garden --checkpoint newest
    """
    wish = Wish(text_of(note), key, new_origin or None, without_numbers)
    with Bars() as bars:
        done = restores.restore(backup, target, wish, bars.show)
    if json_:
        recovered = as_json(done.recovered) if done.recovered else None
        print(json.dumps(done._asdict() | {"path": str(done.path), "recovered": recovered}))
    else:
        _tell(done)


def _tell(done: Restored) -> None:
    if done.recovered:
        tell(done.recovered)
    else:
        print(f"{done.path}: {done.entries} entries of {done.origin}; it continues the checkpoint")
        print("run no other copy of it: two that sign are a fork, which collectors refuse")
    print("a witness of its own, if it had one, must be a new one: tallystick new-witness")
    print(f"next:\n  tallystick run {done.path}")
