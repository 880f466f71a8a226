"""`tallystick backup`: a checked copy of a gateway's directory, while it runs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway import backup as backups
from gateway.directory import Directory
from gateway.errors import DamagedError, RolledBackError
from tools.bars import Bars


def backup(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="a gateway's; it may be running")],
    target: Annotated[Path, typer.Argument(metavar="DEST", help="the copy, not there yet")],
    with_key: Annotated[
        bool,
        typer.Option(
            "--with-key", help="signer.key, too: then whoever has the copy can sign another history"
        ),
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Copy DIR to DEST, of one moment, and check the copy. Secrets of devices are in it.

    Exit 1, and no DEST, where the ledger is not what was committed and signed.

    Example: tallystick backup garden /mnt/usb/garden-monday
    """
    with Bars() as bars, _damage_told():
        saved = backups.backup(Directory(path), target, bars.show, with_key=with_key)
    if json_:
        print(json.dumps(saved._asdict()))
        return
    print(f"{saved.path}: {saved.entries} entries of {saved.origin}, {saved.signed} of them signed")
    print(f"checked: every entry, root {saved.root}")
    left_out = ["the collector's token", "witness.key"]
    if not with_key:
        left_out.insert(0, "signer.key: keep a copy of it elsewhere, or add --with-key")
    print("not in it: " + "; ".join(left_out))
    print(f"to use it:\n  tallystick restore {saved.path} DIR --checkpoint NOTE")


@contextmanager
def _damage_told() -> Iterator[None]:
    """A ledger that is behind what was signed is damaged, too, for whoever copies it."""
    try:
        yield
    except RolledBackError as error:
        raise DamagedError(str(error), error.fix) from error
