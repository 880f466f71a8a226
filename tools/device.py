"""`tallystick device`: who may send readings."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import ConfigError, GatewayError
from gateway.store.files import create_durable, write_durable
from gateway.store.identities import StoredDevice
from protocol.enrolment import SIG
from tools import control, enrolling, updating
from tools.board import commands as boards
from tools.board import settings
from tools.oscore import Client, export

app = typer.Typer(
    help="Devices: enrol, list, configure, command, exchange keys, revoke.", no_args_is_help=True
)
control.register(app)
app.command("update")(updating.update)
_Dir = Annotated[Path, typer.Option("--dir", help="the gateway's directory")]
_PublicKey = Annotated[
    str, typer.Option(metavar="HEX", help="of a key that was made elsewhere: x and y, in hex")
]
_Small = Annotated[
    bool, typer.Option("--small", help="for the smallest boards: no signing, no OSCORE")
]
_Sensors = Annotated[
    list[str] | None, typer.Option(metavar="DRIVER[,KEY=VALUE…]", help="of each sensor")
]
_MADE_HERE = (
    "this machine made the device's key, and it is in config.json: for one that never leaves the"
    " board make it there, and give --public-key"
)


@app.command("add")
def add(  # noqa: PLR0913, PLR0917  # its options are its parameters
    name: str,
    dir_: _Dir,
    port: boards.Port = "",
    out: Annotated[
        Path | None, typer.Option(help="write config.json there (0600) instead of printing it")
    ] = None,
    gateway: Annotated[str, typer.Option(help="HOST:PORT the device sends to")] = "",
    profile: Annotated[
        enrolling.Profile | None,
        typer.Option(help="sig: it signs, for anyone; mac: for its gateway"),
    ] = None,
    public_key: _PublicKey = "",
    flash: Annotated[bool, typer.Option("--flash", help="onto a board, and see it send")] = False,
    wifi_ssid: Annotated[str, typer.Option(help="the password is asked for")] = "",
    wifi_password_file: Annotated[Path | None, typer.Option(help="instead of asking")] = None,
    sensor: _Sensors = None,
    update_key: Annotated[
        str, typer.Option(metavar="HEX", help="whose releases it takes; see `tallystick firmware`")
    ] = "",
    small: _Small = False,
    wait: Annotated[float, typer.Option(help="seconds for the first reading to come")] = 60.0,
    json_: Annotated[bool, typer.Option("--json", help="with --flash, for scripts")] = False,
) -> None:
    """Enrol NAME: onto a board with --flash; else print its config.json, its secret's only copy.

    Example: tallystick device add greenhouse-3 --dir garden --flash --wifi-ssid shed
    """
    updates = settings.updates(update_key)
    if not flash:
        _only_with_flash(port or wifi_ssid or wifi_password_file or sensor or json_)
        how = gateway, profile or enrolling.DEFAULT_PROFILE, public_key
        return _enrol(name, dir_, out, how, updates)
    if out or public_key:
        raise ConfigError("--out or --public-key, and --flash", "the board keeps its own secrets")
    rest = settings.wifi(wifi_ssid, wifi_password_file) | settings.sensors(sensor or []) | updates
    if small:
        rest, profile = rest | settings.small(profile), "mac"
    asked = boards.asked(name, dir_, port, gateway=gateway, profile=profile, rest=rest)
    return boards.add(asked, port, small=small, wait_s=wait, as_json=json_)


def _only_with_flash(given: object) -> None:
    if given:
        raise ConfigError("PORT, --wifi-…, --sensor and --json are for a board", "add --flash")


def _enrol(
    name: str,
    dir_: Path,
    out: Path | None,
    how: tuple[str, str, str],
    updates: dict[str, object],
) -> None:
    """`how`: the gateway's address, the profile, and the public key of one made elsewhere."""
    gateway, profile, public_key = how
    elsewhere = enrolling.public_key_of(public_key) if public_key else None
    config = _handed_over(
        out,
        lambda: (
            enrolling.enrol(dir_, name, gateway, profile=profile, public_key=elsewhere) | updates
        ),
    )
    if "key" in config:
        print(_MADE_HERE, file=sys.stderr)
    if not gateway:
        print(
            f"the device will send to {config['gateway']}: right for one on this machine;"
            " for a board give --gateway HOST:PORT, or edit config.json",
            file=sys.stderr,
        )
    if out is not None:
        device = _newest(dir_, name)
        print(f"enrolled {name} (kid {device.kid.hex()}); copy {out} to the device's root")


@app.command("rotate-key")
def rotate_key(  # noqa: PLR0913, PLR0917  # its options are its parameters
    name: str,
    dir_: _Dir,
    port: boards.Port = "",
    out: Annotated[Path | None, typer.Option(help="the new config.json (0600)")] = None,
    config: Annotated[
        Path | None, typer.Option(help="the present config.json: the rest of it is kept")
    ] = None,
    public_key: _PublicKey = "",
    flash: Annotated[bool, typer.Option("--flash", help="on its board, without a file")] = False,
    wait: Annotated[float, typer.Option(help="seconds for its outbox, then for a reading")] = 60.0,
    drop_waiting: Annotated[
        bool, typer.Option("--drop-waiting", help="lose what the board has not sent yet")
    ] = False,
) -> None:
    """Give NAME a new secret, and a new key if it signs; what it has now counts until it is used.

    Example: tallystick device rotate-key greenhouse-3 --dir garden --flash
    """
    if flash:
        return boards.rotate_key(name, dir_, port, wait_s=wait, drop=drop_waiting)
    if out is None or port:
        raise ConfigError("no --out for the new config.json", "name a file, or use --flash [PORT]")
    return _rotate(name, dir_, out, config, public_key)


def _rotate(name: str, dir_: Path, out: Path, config: Path | None, public_key: str) -> None:
    present = _read(config) if config else {"gateway": "", "sensors": []}
    elsewhere = enrolling.public_key_of(public_key) if public_key else None
    made = _handed_over(out, lambda: enrolling.rotate(dir_, name, present, public_key=elsewhere))
    if "key" in made:
        print(_MADE_HERE, file=sys.stderr)
    if config is None:
        print(f"{out} has no gateway and no sensors: add them, or give --config", file=sys.stderr)
    device = _newest(dir_, name)
    print(
        f"{name} has a new key (kid {device.kid.hex()}, generation {device.generation}); copy {out}"
        " to the device's root. The one before is revoked once a pack under the new one is kept."
    )


def _handed_over(out: Path | None, make: Callable[[], dict[str, object]]) -> dict[str, object]:
    """What `make` made, in the file or printed: nobody else has it."""
    if out is not None:
        _reserve(out)
    try:
        config = make()
    except BaseException:
        if out is not None:
            out.unlink()
        raise
    text = json.dumps(config, indent=2) + "\n"
    if out is None:
        print(text, end="")
        return config
    try:
        write_durable(out, text.encode())
    except GatewayError:
        print(text, end="")
        raise
    return config


def _reserve(out: Path) -> None:
    """Before anything is enrolled: the secret has to have a place to go."""
    try:
        create_durable(out, b"")
    except FileExistsError as error:
        raise ConfigError(f"{out} is there already", "name another file") from error
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}", "name a file in a folder that is") from error


def _read(path: Path) -> dict[str, object]:
    try:
        config: object = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", "name the device's present config.json") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path} is no configuration", "name the device's present config.json")
    return config


def _newest(dir_: Path, name: str) -> StoredDevice:
    return [device for device in enrolling.identities(dir_) if device.name == name][-1]


@app.command("list")
def list_(
    dir_: _Dir,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="NAME and public key, for `verify --end-to-end --keys`")
    ] = False,
) -> None:
    """Every key of every device: its identifier, its profile, and whether it counts.

    Example: tallystick device list --dir garden
    """
    devices = enrolling.identities(dir_)
    if keys:
        for device in devices:
            if device.profile == SIG:
                print(device.name, device.public_key.hex())
        return
    if json_:
        print(json.dumps([_shown(device) for device in devices]))
        return
    for device in devices:
        generation = f"generation {device.generation}" if device.generation else ""
        row = f"{device.name:<32} {device.kid.hex()}  {device.profile:<4} {device.state:<8}"
        print(f"{row} {generation}".rstrip())


def _shown(device: StoredDevice) -> dict[str, object]:
    shown: dict[str, object] = {
        "name": device.name,
        "kid": device.kid.hex(),
        "profile": device.profile,
        "generation": device.generation,
        "state": device.state,
        "revoked": device.revoked,
    }
    return shown | ({"key": device.public_key.hex()} if device.public_key else {})


@app.command("revoke")
def revoke(name: str, dir_: _Dir) -> None:
    """Refuse everything NAME sends from now on. What it sent stays in the ledger.

    Example: tallystick device revoke greenhouse-3 --dir garden
    """
    enrolling.revoke(dir_, name)
    print(f"revoked {name}; a running gateway refuses it from now on")


app.command("logs")(boards.logs)


@app.command("oscore")
def oscore_(
    name: str,
    dir_: _Dir,
    out: Annotated[Path, typer.Option(help="a new folder to write it into (0700)")],
    gateway: Annotated[str, typer.Option(help="HOST:PORT of the gateway")] = "",
    client: Annotated[Client, typer.Option(help="whose client it is for")] = "aiocoap",
) -> None:
    """NAME's OSCORE context, for another client than ours. It is as secret as config.json.

    Of one context there may be one user: two would seal under the same numbers. So enrol a name
    for each person and program; never export that of a board that speaks OSCORE itself.

    Example: tallystick device oscore alice --dir garden --out alice.oscore
    """
    how = export(dir_, name, out, gateway=gateway, client=client)
    print(f"wrote {out}. Try: {how}")
