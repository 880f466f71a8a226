"""The gateway as a program: opens in order, runs in one TaskGroup, ends in order.

Opening: hold, checks, writer, the upstream's word, doors. Closing: doors, background tasks,
then the writer, which commits what it has and signs a last checkpoint.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog

from gateway import config as configs
from gateway import quarantine, recover, rotate
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import GatewayError, RolledBackError, StoreFullError
from gateway.hold import Hold
from gateway.ledger.writer import LedgerWriter
from gateway.stop import Stop
from gateway.store.files import remove_durable
from gateway.wiring import Gateway

_MEMBERS_POLL_S = 1.0
_GREETING_S = 1.0  # a start does not wait longer for an upstream that does not answer
_log = structlog.get_logger("gateway")


class Running(NamedTuple):
    """What is up, for whoever started it."""

    config: GatewayConfig
    http_port: int
    verifier_text: str
    gateway: Gateway


async def run(
    path: Path,
    override: Callable[[GatewayConfig], GatewayConfig],
    ready: Callable[[Running], None],
) -> None:
    """Serves until SIGINT or SIGTERM; FatalError where it cannot, or must not, go on."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.event.set)
    async with serving(path, override, stop) as running:
        ready(running)
        await stop.event.wait()
    if stop.error:
        raise stop.error


@asynccontextmanager
async def serving(
    path: Path, override: Callable[[GatewayConfig], GatewayConfig], stop: Stop
) -> AsyncIterator[Running]:
    """A gateway for the length of the block."""
    directory = Directory(path)
    config = override(configs.load(directory.config, GatewayConfig))
    async with AsyncExitStack() as stack:
        stack.enter_context(Hold(path, f"gateway {config.origin}"))
        stack.enter_context(_on_file(directory))
        if recover.settle(directory):
            config = override(configs.load(directory.config, GatewayConfig))
            _log.warning("a recovery that was interrupted is complete", origin=config.origin)
        settled = rotate.settle(directory, config.origin)
        if settled:
            _log.warning(f"a rotation of the key that was interrupted is {settled}")
        signer = directory.load_signer(config.origin)
        gateway = Gateway(directory, config, signer, stop.failed)
        stack.callback(gateway.close)
        stack.push_async_callback(gateway.sequencer.stop)
        stack.enter_context(_unsigned(gateway.writer))
        await _note_members(gateway)
        await asyncio.gather(*(greeting(_GREETING_S) for greeting in gateway.greetings()))
        if directory.quarantine.exists():
            remove_durable(directory.quarantine)
            _log.warning("the ledger is right again; the quarantine is over")
        await stack.enter_async_context(_background(gateway, directory, stop))
        await stack.enter_async_context(gateway.coap_door())
        # last, so that whoever hears from /healthz knows that the rest is up
        http_port = await stack.enter_async_context(gateway.http_door(stop.failed))
        yield Running(config, http_port, signer.verifier_text, gateway)


async def _note_members(gateway: Gateway) -> None:
    """With a full disk the gateway starts all the same; they are noted once there is room."""
    try:
        await gateway.members.keep_up()
    except StoreFullError as error:
        _log.warning("members not in the ledger yet", detail=str(error))


@asynccontextmanager
async def _background(gateway: Gateway, directory: Directory, stop: Stop) -> AsyncIterator[None]:
    """The tasks beside the doors; one that fails stops the gateway, it is never just gone."""

    async def guarded(work: Awaitable[None]) -> None:
        try:
            with _on_file(directory), _unsigned(gateway.writer):
                await work
        except Exception as error:
            stop.failed(error)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(guarded(gateway.members.watch(_MEMBERS_POLL_S)))]
        tasks += [group.create_task(guarded(work)) for work in gateway.works()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@contextmanager
def _unsigned(writer: LedgerWriter) -> Iterator[None]:
    """What is left to do once a ledger is not what was signed, is done without a signature."""
    try:
        yield
    except RolledBackError:
        writer.stop_signing()
        raise


@contextmanager
def _on_file(directory: Directory) -> Iterator[None]:
    """Whoever starts this ledger next is told why it is not signed."""
    try:
        yield
    except RolledBackError as error:
        try:
            quarantine.keep(directory.quarantine, error, disk=directory.disk)
        except GatewayError as failed:
            _log.error("the quarantine is not on file", detail=str(failed))
        raise
