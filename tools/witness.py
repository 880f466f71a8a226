"""`tallystick new-witness`: another witness in place of one that lost what it remembered."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.config import COLLECTOR_FILE, GATEWAY_FILE
from gateway.errors import ConfigError
from gateway.hold import Hold
from gateway.witness import files
from protocol.errors import MalformedError
from protocol.note import parse_key


def new_witness(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="of a gateway or a collector")],
    name: Annotated[str, typer.Option(help="its name, one that was never used before")],
) -> None:
    """Retire the witness in DIR, if there is one, and make a new one under a new name.

    Its key is deleted, and what it remembered is set aside in DIR.

    Example: tallystick new-witness garden --name example.org/garden/witness-2
    """
    if not any((path / file).exists() for file in (GATEWAY_FILE, COLLECTOR_FILE)):
        raise ConfigError(f"{path} is no gateway's or collector's directory", "name one that is")
    with Hold(path, "new-witness"):
        _check_new(path, name)
        retired = _set_aside(path)
        cosigner = files.create(path, name)
    if retired:
        print(f"the old witness's key is deleted; what it remembered is in {retired}")
    print(f"witness key (for those who trusted the old one):\n  {cosigner.verifier_text}")


def _check_new(path: Path, name: str) -> None:
    files.check_name(name)
    used = []
    for file in (path / files.VERIFIER, *path.glob(f"retired-*/{files.VERIFIER}")):
        try:
            used.append(parse_key(file.read_text().strip()).name)
        except (OSError, MalformedError):
            continue
    if name in used:
        raise ConfigError(f"{name!r} was a witness here before", "choose another name")


def _set_aside(path: Path) -> Path | None:
    """Where the old witness's memory went; None where there was none. The key goes first."""
    (path / files.KEY).unlink(missing_ok=True)
    there = [file for name in files.REST if (file := path / name).exists()]
    if not there:
        return None
    number = 1
    while (retired := path / f"retired-witness-{number}").exists():
        number += 1
    os.mkdir(retired, 0o700)
    for file in there:
        os.replace(file, retired / file.name)
    return retired
