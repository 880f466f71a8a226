"""`tallystick collect`: the collector as a service."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
import typer

from gateway import collector as collectors
from gateway.config import CollectorConfig
from tools.addresses import address
from tools.logs import configure_logging
from tools.trust import remember_trust


def collect(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="made by `tallystick init`")],
    http: Annotated[str, typer.Option(help="HOST:PORT instead of the configured one")] = "",
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

    asyncio.run(collectors.run(path, override, _ready))


def _ready(config: CollectorConfig, port: int) -> None:
    structlog.get_logger("collector").info(
        "ready", http=f"http://{config.http.host}:{port}", origins=len(config.trust)
    )
