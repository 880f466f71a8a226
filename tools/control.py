"""`tallystick device config`, `command` and `commands`: what a device is told, and what it did."""

import getpass
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from device import remote
from device.config import ConfigError as RefusedError
from device.config_file import check
from gateway.control import entries
from gateway.directory import Directory
from gateway.errors import CommandsFullError, ConfigError
from gateway.registry import Device, devices_of
from gateway.store.control import ControlStore, Heard, Order, StoredCommand, StoredConfig
from gateway.store.keys import KeyStore
from protocol.limits import MAX_ARGUMENT_BYTES, MAX_COMMAND_BYTES, MAX_CONFIG_BYTES
from tools.outcomes import Outcomes

_Dir = Annotated[Path, typer.Option("--dir", help="the gateway's directory")]
_Json = Annotated[bool, typer.Option("--json", help="for scripts")]
_POLL_S = 0.2
_NOTHING = "nothing was told it"
# What the checks of a configuration need besides, and no board is ever told so.
_STAND_IN: dict[str, object] = {"secret": "00" * 32, "gateway": "127.0.0.1:5683"}


def config(
    name: str,
    dir_: _Dir,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, in JSON; again for more")
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option(help="KEY: as the device's own config.json has it")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="all that it is to be told, as JSON")] = None,
    json_: _Json = False,
) -> None:
    """Show, or change, what NAME is told to do otherwise than its own config.json says.

    It hears of a change with its next receipt, tries it, and goes back to what it had if it
    cannot reach the gateway then. What a board would have to refuse is refused here.

    Example: tallystick device config greenhouse-3 --dir garden --set pack_age_ms=5000
    """
    directory = Directory(dir_)
    device, store = _device(directory, name), ControlStore(directory.control)
    try:
        held = _config_of(store, name)
        fields = _changed(held, set_ or [], unset or [], file)
        if fields is not None:
            _tell(store, device, fields)
            held = _config_of(store, name)
        shown = _shown(name, held, store.heard().get(name, Heard(name)))
    finally:
        store.close()
    if json_:
        print(json.dumps(shown))
    else:
        print("\n".join(f"{key:<9} {value}" for key, value in _lines(shown)))


def command(
    name: str,
    command_: Annotated[
        str, typer.Argument(metavar="COMMAND", help="report, sample, log, reset, update")
    ],
    dir_: _Dir,
    argument: Annotated[str, typer.Argument(metavar="[ARG]")] = "",
    wait: Annotated[float, typer.Option(help="seconds to wait for what comes of it")] = 0.0,
    json_: _Json = False,
) -> None:
    """Have NAME do something once; it hears of it with its next receipt.

    Example: tallystick device command greenhouse-3 log 10 --dir garden --wait 60
    """
    if not 0 < len(command_.encode()) <= MAX_COMMAND_BYTES:
        raise ConfigError(f"{command_!r} is no command", "use the name of one, for example report")
    if len(argument.encode()) > MAX_ARGUMENT_BYTES:
        raise ConfigError(
            f"an argument of {len(argument.encode())} bytes", f"use at most {MAX_ARGUMENT_BYTES}"
        )
    directory = Directory(dir_)
    outcomes = Outcomes(directory, name, from_now_on=True)
    number = _give(directory, name, command_, argument)
    outcome = _awaited(outcomes, number, wait)
    if json_:
        print(json.dumps({"name": name, "id": number, "outcome": outcome}))
    else:
        print(f"{name}: command {number}: {outcome or 'it hears of it with its next receipt'}")
    if wait and (outcome is None or not outcome.startswith("ok")):
        raise typer.Exit(1)


def commands(name: str, dir_: _Dir, json_: _Json = False) -> None:
    """NAME's last commands: who gave them, how far each is, and what came of it.

    Example: tallystick device commands greenhouse-3 --dir garden
    """
    directory = Directory(dir_)
    _device(directory, name)
    store = ControlStore(directory.control)
    try:
        held = [one for one in store.commands() if one.name == name]
        heard = store.heard().get(name, Heard(name))
    finally:
        store.close()
    outcomes = Outcomes(directory, name)
    outcomes.look()
    shown = [_command_shown(one, heard, outcomes.found.get(one.id)) for one in held]
    if json_:
        print(json.dumps(shown))
        return
    for row in shown:
        words = f"{row['command']} {row['argument']}".strip()
        print(f"{row['id']:>6}  {row['given']}  {row['state']:<8} {words}  {row['outcome'] or ''}")


def _device(directory: Directory, name: str) -> Device:
    """Its newest key; ConfigError where there is none, or it was revoked."""
    keys = KeyStore(directory.keys)
    try:
        known = [one for one in devices_of(keys.devices()) if one.name == name]
    finally:
        keys.close()
    active = [one for one in known if not one.revoked]
    if not active:
        raise ConfigError(f"no active device {name!r}", "see `tallystick device list --dir DIR`")
    return active[-1]


def _config_of(store: ControlStore, name: str) -> StoredConfig | None:
    return next((one for one in store.configs() if one.name == name), None)


def _changed(
    held: StoredConfig | None, set_: list[str], unset: list[str], file: Path | None
) -> dict[str, object] | None:
    """What it is to be told; None where nothing was asked to change."""
    if not (set_ or unset or file):
        return None
    fields: dict[str, object] = json.loads(held.text) if held else {}
    if file is not None:
        fields = _read(file)
    for pair in set_:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}", "write KEY=VALUE")
        fields[key] = _value(value)
    for key in unset:
        fields.pop(key, None)
    return fields


def _read(file: Path) -> dict[str, object]:
    try:
        fields = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: {error}", "name a file with a JSON object") from error
    if not isinstance(fields, dict):
        raise ConfigError(f"{file} is not a JSON object", "write {...} around it")
    return fields


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tell(store: ControlStore, device: Device, fields: dict[str, object]) -> None:
    text = entries.spelled(fields)
    if len(text) > MAX_CONFIG_BYTES:
        raise ConfigError(
            f"a configuration of {len(text)} bytes, over {MAX_CONFIG_BYTES}",
            "put what does not change into the board's own config.json",
        )
    try:
        check(remote.merged(_STAND_IN | {"name": device.name}, text))
    except RefusedError as error:
        raise ConfigError(f"{device.name} would refuse this", str(error)) from error
    who = getpass.getuser()
    store.set_config(
        device.name, text, lambda n: entries.config_body(who, n, text, down=device.down)
    )
    if entries.has_secrets(text):
        print("it has secrets: the device has to ask under OSCORE to be told", file=sys.stderr)


def _give(directory: Directory, name: str, command_: str, argument: str) -> int:
    _device(directory, name)
    who = getpass.getuser()
    store = ControlStore(directory.control)
    try:
        return store.add_command(
            name,
            Order(command_, argument, who, int(time.time() * 1000)),
            lambda n: entries.command_body(who, n, command_, argument),
        )
    except CommandsFullError as error:
        raise ConfigError(
            str(error), f"wait until it has done some: tallystick device commands {name}"
        ) from error
    finally:
        store.close()


def _awaited(outcomes: Outcomes, number: int, wait_s: float) -> str | None:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        outcomes.look()
        if number in outcomes.found:
            return outcomes.found[number]
        time.sleep(_POLL_S)
    return None


def _shown(name: str, held: StoredConfig | None, heard: Heard) -> dict[str, Any]:
    version = held.version if held else 0
    if not version:
        state = _NOTHING
    elif heard.runs == version:
        state = "it runs"
    else:
        state = "it went back, or refused it" if heard.known >= version else "not told yet"
    return {
        "name": name,
        "desired": version,
        "runs": heard.runs,
        "state": state,
        "config": json.loads(entries.without_secrets(held.text)) if held else {},
        "asked": _iso(heard.asked_ms) if heard.asked_ms else None,
    }


def _lines(shown: dict[str, Any]) -> list[tuple[str, object]]:
    asked = shown["asked"] or "never"
    told = [(f"  {key}", json.dumps(value)) for key, value in shown["config"].items()]
    return [
        ("desired", f"version {shown['desired']}: {shown['state']}"),
        *told,
        ("runs", f"version {shown['runs']}, it said when it last asked: {asked}"),
    ]


def _command_shown(one: StoredCommand, heard: Heard, outcome: str | None) -> dict[str, Any]:
    state = "done" if one.id <= heard.done else "told" if one.id <= heard.told else "waiting"
    return {
        "id": one.id,
        "command": one.command,
        "argument": one.argument,
        "who": one.who,
        "given": _iso(one.given_ms),
        "state": state,
        "outcome": outcome,
    }


def _iso(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="seconds")


def register(app: typer.Typer) -> None:
    """Under `tallystick device`."""
    listed: list[tuple[str, Callable[..., None]]] = [
        ("config", config),
        ("command", command),
        ("commands", commands),
    ]
    for name, function in listed:
        app.command(name)(function)
