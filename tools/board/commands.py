"""`tallystick flash` and `repl`, and what `device` does with a board on a cable."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tools.bars import Bars
from tools.board import adding, events, facts, identity, ports, settings
from tools.board.events import Listener
from tools.board.identity import Asked
from tools.board.link import Board
from tools.board.waiting import LateError

Port = Annotated[
    str,
    typer.Argument(metavar="[PORT]", help="such as /dev/ttyACM0; else the only board"),
]
_LISTEN_S = 0.05


def flash(
    port: Port = "",
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Put this version's program on a board. Who it is and what it has not sent stay as they are.

    Example: tallystick flash /dev/ttyACM0
    """
    port = ports.choose(port)
    with Bars() as bars, Board(port) as board:
        found = facts.of(board)
        config = identity.held(board)
        facts.check(found, small=bool(config and config.get("small")))
        copied = adding.flash(board, found, bars, signs=adding.signs(config))
        board.reset()
    if config is None:
        print("it is nobody yet: tallystick device add NAME --dir DIR --flash", file=sys.stderr)
    if json_:
        print(json.dumps({"port": port, "firmware": found.named, "copied": copied}))
    else:
        print(f"{port}, {found.named}: {_copied(copied)}; it runs")


def repl(port: Port = "") -> None:
    """Talk to the Python on a board, through mpremote. Ctrl-] or Ctrl-x ends it.

    Example: tallystick repl /dev/ttyACM0
    """
    port = ports.choose(port)
    ports.check(port)
    command = [sys.executable, "-m", "mpremote", "connect", port, "repl"]
    raise typer.Exit(subprocess.call(command))  # noqa: S603  # our own arguments


def logs(
    port: Port = "",
    seconds: Annotated[float, typer.Option(help="0 is until Ctrl-C")] = 0.0,
    json_: Annotated[bool, typer.Option("--json", help="a line of JSON an event")] = False,
) -> None:
    """What a board says while it runs, an event a line. It is not interrupted.

    Example: tallystick device logs /dev/ttyACM0 --seconds 30
    """
    port = ports.choose(port)
    ports.check(port)
    until = time.monotonic() + seconds if seconds else float("inf")
    with Listener(port) as listener:
        try:
            while time.monotonic() < until:
                for event in listener.events():
                    print(json.dumps(event) if json_ else events.told(event), flush=True)
                time.sleep(_LISTEN_S)
        except KeyboardInterrupt:
            pass


def add(asked: Asked, port: str, *, small: bool, wait_s: float, as_json: bool) -> None:
    """`device add --flash`, after its options were read."""
    with _late_is_wrong():
        done = adding.add(asked, port, small=small, wait_s=wait_s)
    if as_json:
        print(json.dumps(done._asdict() | {"changed": done.changed}))
        return
    print(f"{done.port}, {done.firmware}: {_copied(done.copied)}")
    if not done.changed:
        print(f"nothing to do: it is {done.name} already")
    first = _shown(done.reading, done.profile, done.entry)
    print(f"first verified reading: {first}, {done.seconds} s")


def rotate_key(name: str, dir_: Path, port: str, *, wait_s: float, drop: bool) -> None:
    """`device rotate-key --flash`, after its options were read."""
    with _late_is_wrong():
        kid, first = adding.rotate(Asked(name, dir_), port, wait_s=wait_s, drop=drop)
    print(f"{name} has a new key (kid {kid}); the one before is revoked")
    print(f"first reading under it: {_shown(first.reading, first.profile, first.entry)}")


@contextmanager
def _late_is_wrong() -> Iterator[None]:
    """A reading that did not come yet is no wrong use: the board is flashed and enrolled."""
    try:
        yield
    except LateError as error:
        print(f"tallystick: {error}\n  fix: {error.fix}", file=sys.stderr)
        raise typer.Exit(1) from None


def asked(
    name: str, dir_: Path, port: str, *, gateway: str, profile: str | None, rest: dict[str, object]
) -> Asked:
    """Says on stderr where a board that is elsewhere could not reach the gateway."""
    there = settings.gateway_for(dir_, gateway)
    fault = settings.unreachable(dir_, there)
    if fault and not os.path.realpath(port).startswith("/dev/pts/"):
        print(f"warning: {fault}", file=sys.stderr)
    told = {"gateway": gateway} if gateway else {}
    return Asked(name, dir_, profile, told | rest, there)


def _copied(count: int) -> str:
    return f"{count} files copied" if count else "every file is there already"


def _shown(reading: dict[str, object], profile: str, entry: int) -> str:
    value = f"{reading['name']} {reading['value']} {reading.get('unit', '')}".rstrip()
    return f"{value} ({profile}), entry {entry}"
