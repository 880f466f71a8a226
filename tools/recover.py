"""`tallystick recover`: a new ledger in the place of one that must not be signed any more."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway import config as configs
from gateway import recover as recoveries
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.hold import Hold
from gateway.recover import Choice, Recovered
from protocol.checkpoint import unverified
from tools.bars import Bars


def recover(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="a gateway's, and it is stopped")],
    new_origin: Annotated[str, typer.Option(help="the new ledger's name, never used before")],
    note: Annotated[
        Path | None,
        typer.Option("--checkpoint", help="the newest one that others hold, for the first entry"),
    ] = None,
    without_numbers: Annotated[
        bool,
        typer.Option(
            "--without-numbers", help="the old ledger cannot be read: forget what was received"
        ),
    ] = False,
    although_sound: Annotated[
        bool, typer.Option("--although-sound", help="give up a ledger that could go on")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Start a new ledger in DIR: another name, another key, the same devices.

    Its first entry names the old one's largest checkpoint. The old ledger is set aside in DIR,
    its key is destroyed. A number that a device has used stays used, and
    resources are put again, each that is whole.

    Example: tallystick recover garden --new-origin example.org/garden-2
    """
    directory = Directory(path)
    configs.load(directory.config, GatewayConfig)  # a hold leaves a file, even where no gateway is
    with Hold(path, "recover"):
        choice = Choice(new_origin, text_of(note), without_numbers, although_sound)
        done = recovered(directory, choice)
    if json_:
        print(json.dumps(as_json(done)))
    else:
        tell(done)


def recovered(directory: Directory, choice: Choice) -> Recovered:
    """With a bar while numbers are carried over."""
    with Bars() as bars:
        return recoveries.recover(
            directory, choice, lambda done, total: bars.show("carrying numbers over", done, total)
        )


def text_of(note: Path | None) -> str | None:
    """The checkpoint in a file; ConfigError where it cannot be read."""
    try:
        return note.read_text(errors="replace") if note else None
    except OSError as error:
        raise ConfigError(f"{note}: {error.strerror}", "name a file with a checkpoint") from error


def as_json(done: Recovered) -> dict[str, object]:
    return done._asdict() | {"retired": str(done.retired), "recovery": done.recovery._asdict()}


def tell(done: Recovered) -> None:
    old, note, numbers = done.recovery
    known = f"{unverified(note).size} entries were signed" if note else "no checkpoint was left"
    print(f"the ledger is now {done.origin}; its first entry names {old}, of which {known}")
    if numbers is None:
        print("NO NUMBERS were carried over: an envelope that was kept before may be kept again")
    else:
        print(f"{numbers} envelopes' numbers stay taken")
    if done.resources:
        print(f"{done.resources} resources were put again; their histories stay in {old}")
    print(f"the old ledger is in {done.retired}; its key was destroyed")
    print(f"verifier key (give it to whoever verifies, and to collectors):\n  {done.verifier_key}")
    print(f"next, at each collector:\n  tallystick collect DIR --trust {done.verifier_key}")
