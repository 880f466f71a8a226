"""The collector as a program: takes batches from gateways it trusts, serves where each stands."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gateway import config as configs
from gateway import tokens
from gateway.collect.cosigning import Cosigning
from gateway.collect.origins import Origins
from gateway.collect.routes import CollectRoutes
from gateway.config import COLLECTOR_FILE, CollectorConfig
from gateway.errors import ConfigError
from gateway.hold import Hold
from gateway.http import server as http
from gateway.http.auth import Guard
from gateway.http.witness import WitnessRoutes
from gateway.metrics import Metrics
from gateway.stop import Stop
from gateway.store.files import create_durable, make_directory
from gateway.witness import files as witnesses
from gateway.witness.cosigner import Cosigner

TOKENS_FILE = "tokens.json"


def create(path: Path, config_text: str, witness_name: str) -> Cosigner:
    """A new, empty collector in `path`, and its witness. ConfigError where there is one already."""
    witnesses.check_name(witness_name)
    make_directory(path)
    try:
        create_durable(path / COLLECTOR_FILE, config_text.encode(), mode=0o644)
    except FileExistsError as error:
        raise ConfigError(
            f"{error.filename} is there already", "choose another directory, or use this one"
        ) from error
    return witnesses.create(path, witness_name)


async def run(
    path: Path,
    override: Callable[[CollectorConfig], CollectorConfig],
    ready: Callable[[CollectorConfig, int], None],
) -> None:
    """Serves until SIGINT or SIGTERM; FatalError where it cannot go on."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.event.set)
    async with serving(path, override, stop) as (config, port):
        ready(config, port)
        await stop.event.wait()
    if stop.error:
        raise stop.error


@asynccontextmanager
async def serving(
    path: Path, override: Callable[[CollectorConfig], CollectorConfig], stop: Stop
) -> AsyncIterator[tuple[CollectorConfig, int]]:
    """A collector for the length of the block, and its port."""
    config = override(configs.load(path / COLLECTOR_FILE, CollectorConfig))
    async with AsyncExitStack() as stack:
        stack.enter_context(Hold(path, "collector"))
        guard = Guard(config.http, tokens.load(path / TOKENS_FILE))
        origins = Origins(path, config.trust)
        stack.callback(origins.close)
        witness = witnesses.opened(path, origins.signers, _unix_ms)
        metrics, cosigning = Metrics(), Cosigning(origins, witness)
        collect = CollectRoutes(origins, cosigning, guard.check, metrics, config.max_batch_bytes)
        routes = collect.routes
        if witness:
            stack.callback(witness.close)
            routes = routes + WitnessRoutes(witness, guard.check, metrics).routes
        door = http.serving(config.http, http.application(routes), stop.failed)
        port = await stack.enter_async_context(door)
        yield config, port


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000
