"""`tallystick run` and `tallystick collect`: the two services."""

import asyncio
import json
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
import typer

from gateway import app as gateways
from gateway import collector as collectors
from gateway import config as configs
from gateway.app import Running
from gateway.config import COLLECTOR_FILE, CollectorConfig, GatewayConfig
from gateway.errors import ConfigError
from gateway.store.files import write_durable
from protocol import note as notes
from protocol.errors import MalformedError
from tools.logs import configure_logging

_Dir = Annotated[Path, typer.Argument(metavar="DIR", help="made by `tallystick init`")]
_WHICH_KEY = "copy the verifier key that `tallystick init` printed"
_Http = Annotated[str, typer.Option(help="HOST:PORT instead of the configured one")]


def run(
    path: _Dir,
    coap: Annotated[str, typer.Option(help="HOST:PORT instead of the configured one")] = "",
    http: _Http = "",
    json_: Annotated[bool, typer.Option("--json", help="log as JSON lines")] = False,
) -> None:
    """Run the gateway in DIR until Ctrl-C or SIGTERM.

    Example: tallystick run garden --coap 0.0.0.0:5683
    """
    configure_logging(json_)

    def override(config: GatewayConfig) -> GatewayConfig:
        if coap:
            host, port = address(coap)
            config = msgspec.structs.replace(
                config, coap=msgspec.structs.replace(config.coap, host=host, port=port)
            )
        if http:
            host, port = address(http)
            config = msgspec.structs.replace(
                config, http=msgspec.structs.replace(config.http, host=host, port=port)
            )
        return config

    asyncio.run(gateways.run(path, override, _gateway_ready))


def collect(
    path: _Dir,
    http: _Http = "",
    trust: Annotated[
        list[str] | None, typer.Option(help="a gateway's verifier key, remembered in DIR")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="log as JSON lines")] = False,
) -> None:
    """Run the collector in DIR: it checks every batch, and refuses what does not fit.

    Example: tallystick collect upstream --trust example.org/garden+1a2b3c4d+AX…
    """
    configure_logging(json_)
    if trust:
        remember_trust(path, trust)

    def override(config: CollectorConfig) -> CollectorConfig:
        if not http:
            return config
        host, port = address(http)
        return msgspec.structs.replace(
            config, http=msgspec.structs.replace(config.http, host=host, port=port)
        )

    asyncio.run(collectors.run(path, override, _collector_ready))


def remember_trust(path: Path, keys: list[str]) -> None:
    """Adds verifier keys to collector.toml, once each; the rest of the file stays as it is.

    ConfigError for one that is no ledger's, or a second one of a ledger: the first would count.
    """
    file = path / COLLECTOR_FILE
    held = configs.load(file, CollectorConfig).trust
    wanted = held + [key for key in dict.fromkeys(keys) if key not in held]
    names = [_ledger_of(key) for key in wanted]
    for name in names[len(held) :]:
        if names.count(name) > 1:
            raise ConfigError(
                f"{file} trusts another key of {name!r} already, and goes by that one",
                "if it was a wrong one, take it out of `trust` there; if the ledger's key was"
                " rotated, there is nothing to do: the collector follows by itself",
            )
    if wanted == held:
        return
    lines = file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("trust")]
    text = f"trust = {json.dumps(wanted)}\n" + "".join(kept)
    try:
        tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"{file}: `trust` is not on one line", f"write it by hand: trust = {json.dumps(wanted)}"
        ) from error
    write_durable(file, text.encode(), mode=0o644)


def _ledger_of(text: str) -> str:
    try:
        key = notes.parse_key(text)
    except MalformedError as error:
        raise ConfigError(f"{text!r}: {error}", _WHICH_KEY) from error
    if key.algorithm != notes.ED25519:
        raise ConfigError(f"{text!r} is a witness's key, not a ledger's", _WHICH_KEY)
    return key.name


def address(text: str) -> tuple[str, int]:
    """HOST:PORT or [V6]:PORT."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{text!r} is no HOST:PORT", "write it like 0.0.0.0:5683 or [::]:5683")
    return host, int(port)


def _gateway_ready(running: Running) -> None:
    coap, http = running.config.coap, running.config.http
    structlog.get_logger("gateway").info(
        "ready",
        origin=running.config.origin,
        entries=running.gateway.writer.size,
        coap=f"{coap.host}:{coap.port}",
        http=f"http://{http.host}:{running.http_port}",
        verifier_key=running.verifier_text,
    )


def _collector_ready(config: CollectorConfig, port: int) -> None:
    structlog.get_logger("collector").info(
        "ready", http=f"http://{config.http.host}:{port}", origins=len(config.trust)
    )
