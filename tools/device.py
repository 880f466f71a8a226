"""`tallystick device`: who may send readings."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import config as configs
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError, GatewayError
from gateway.store.files import create_durable, write_durable
from gateway.store.keys import KeyStore
from protocol import senml
from protocol.envelope import SECRET_BYTES, kid_of
from protocol.limits import MAX_NAME_BYTES
from tools.oscore import Client, export

app = typer.Typer(help="Devices: enrol, list, revoke.", no_args_is_help=True)
_Dir = Annotated[Path, typer.Option("--dir", help="the gateway's directory")]
_LONGEST_NAME = MAX_NAME_BYTES // 2  # leaves room for "/" and a sensor's name


@app.command("add")
def add(
    name: str,
    dir_: _Dir,
    out: Annotated[
        Path | None, typer.Option(help="write config.json there (0600) instead of printing it")
    ] = None,
    gateway: Annotated[str, typer.Option(help="HOST:PORT the device sends to")] = "",
) -> None:
    """Enrol NAME and give its config.json, which holds its secret: there is no second copy.

    Example: tallystick device add greenhouse-3 --dir garden --out config.json
    """
    if out is not None:
        _reserve(out)
    try:
        config = enrol(dir_, name, gateway)
    except BaseException:
        if out is not None:
            out.unlink()
        raise
    text = json.dumps(config, indent=2) + "\n"
    if not gateway:
        print(
            f"the device will send to {config['gateway']}: right for one on this machine;"
            " for a board give --gateway HOST:PORT, or edit config.json",
            file=sys.stderr,
        )
    if out is None:
        print(text, end="")
        return
    try:
        write_durable(out, text.encode())
    except GatewayError:
        print(text, end="")  # nobody else has the secret
        raise
    print(f"enrolled {name} (kid {kid_of(name).hex()}); copy {out} to the device's root")


def _reserve(out: Path) -> None:
    """Before anything is enrolled: the secret has to have a place to go."""
    try:
        create_durable(out, b"")
    except FileExistsError as error:
        raise ConfigError(f"{out} is there already", "name another file") from error
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}", "name a file in a folder that is") from error


@app.command("list")
def list_(
    dir_: _Dir, json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False
) -> None:
    """Every device, its key identifier, its profile, and whether it was revoked.

    Example: tallystick device list --dir garden
    """
    store = KeyStore(Directory(dir_).keys)
    shown = [
        {
            "name": device.name,
            "kid": kid_of(device.name, device.profile).hex(),
            "profile": device.profile,
            "revoked": device.revoked,
        }
        for device in store.devices()
    ]
    store.close()
    if json_:
        print(json.dumps(shown))
        return
    for row in shown:
        state = "revoked" if row["revoked"] else "active"
        print(f"{row['name']:<32} {row['kid']}  {row['profile']:<4} {state}")


@app.command("revoke")
def revoke(name: str, dir_: _Dir) -> None:
    """Refuse everything NAME sends from now on. What it sent stays in the ledger.

    Example: tallystick device revoke greenhouse-3 --dir garden
    """
    store = KeyStore(Directory(dir_).keys)
    try:
        store.revoke(name)
    finally:
        store.close()
    print(f"revoked {name}; a running gateway refuses it from now on")


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


def enrol(dir_: Path, name: str, gateway: str = "") -> dict[str, object]:
    """The device's configuration; its secret is in keys.sqlite and here, nowhere else."""
    directory = Directory(dir_)
    config = configs.load(directory.config, GatewayConfig)
    if not senml.is_name(name) or len(name) > _LONGEST_NAME or "/" in name:
        raise ConfigError(
            f"{name!r} cannot be a device's name",
            f"use up to {_LONGEST_NAME} letters, digits, - . : _ and start with a letter or digit",
        )
    secret = os.urandom(SECRET_BYTES)
    store = KeyStore(directory.keys)
    try:
        store.add(name, secret)
    finally:
        store.close()
    host = f"[{config.coap.host}]" if ":" in config.coap.host else config.coap.host
    return {
        "name": name,
        "secret": secret.hex(),
        "gateway": gateway or f"{host}:{config.coap.port}",
        "sensors": [{"driver": "board-temperature", "name": "temperature", "every_ms": 10_000}],
    }
