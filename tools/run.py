"""`tallystick run`: the gateway as a service."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
import typer

from gateway import app as gateways
from gateway.app import Running
from gateway.config import GatewayConfig
from tools.addresses import address
from tools.logs import configure_logging


def run(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="made by `tallystick init`")],
    coap: Annotated[str, typer.Option(help="HOST:PORT instead of the configured one")] = "",
    http: Annotated[str, typer.Option(help="HOST:PORT instead of the configured one")] = "",
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

    asyncio.run(gateways.run(path, override, _ready))


def _ready(running: Running) -> None:
    coap, http = running.config.coap, running.config.http
    structlog.get_logger("gateway").info(
        "ready",
        origin=running.config.origin,
        entries=running.gateway.writer.size,
        coap=f"{coap.host}:{coap.port}",
        http=f"http://{http.host}:{running.http_port}",
        verifier_key=running.verifier_text,
    )
