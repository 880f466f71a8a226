"""The CoAP door: what is at which path, on one socket."""

import asyncio
import hashlib
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

# SO_REUSEPORT would let a second gateway take half of the datagrams without a word.
os.environ.setdefault("AIOCOAP_REUSE_PORT", "0")

import aiocoap

from gateway.coap.answering import Answering
from gateway.coap.echo import Echoes
from gateway.coap.identity import Identity
from gateway.coap.links import Link, well_known
from gateway.coap.notifying import Notifier
from gateway.coap.requests import GET, POST
from gateway.coap.resources import CBOR_FORMAT, ReadingsResource, TimeResource
from gateway.coap.routes import Route, Routes
from gateway.coap.site import Site
from gateway.coap.tap import Tap
from gateway.config import CoapConfig
from gateway.errors import ConfigError
from gateway.metrics import Metrics
from gateway.registry import Registry
from gateway.sequencer import Sequencer
from gateway.tokens import Tokens
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, MAX_DATAGRAM_BYTES

_KEY_BYTES = 32


class Behind(NamedTuple):
    """What the door opens to. `time_ms` is 0 where the clock is not trusted."""

    registry: Registry
    sequencer: Sequencer
    metrics: Metrics
    tokens: Tokens
    keep_up: Callable[[], Awaitable[None]]
    unix_ms: Callable[[], int]
    time_ms: Callable[[], int]


def routes_of(behind: Behind) -> Routes:
    """Every path the door knows."""
    readings = ReadingsResource(
        behind.registry,
        behind.sequencer,
        behind.metrics,
        keep_up=behind.keep_up,
        time_ms=behind.time_ms,
    )
    clock = TimeResource(behind.time_ms)
    links = [
        Link("/r", rt="tallystick.readings", ct=(CONTENT_FORMAT_COSE_MAC0,)),
        Link("/time", rt="tallystick.time", ct=(CBOR_FORMAT,)),
        Link("/.well-known/core", ct=(40,)),
    ]
    exact: Mapping[tuple[str, ...], Route] = {
        # An envelope's own limit is told by whoever reads it; a longer body is refused before.
        ("r",): Route({POST: readings.post}, max_body_bytes=MAX_DATAGRAM_BYTES),
        ("time",): Route({GET: clock.get}),
        (".well-known", "core"): Route({GET: well_known(links, _sha256)}, filtered=True),
    }
    return Routes(exact)


@asynccontextmanager
async def serving(config: CoapConfig, behind: Behind) -> AsyncIterator[None]:
    """Serves until the block ends. ConfigError where the address cannot be had."""
    answering = Answering(
        routes_of(behind),
        Echoes(os.urandom(_KEY_BYTES)),
        behind.metrics,
        identify=Identity(behind.tokens, plain=False, unix_ms=behind.unix_ms),
        now_ms=_now_ms,
    )
    context = await _context(config, Site(answering.answer))
    tap = Tap(context)
    notifier = Notifier(tap, answering.render, now_ms=_now_ms, random=random.random)
    answering.observers = tap.observers = notifier.observers
    task = asyncio.create_task(notifier.run(), name="notifier")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await context.shutdown()


async def _context(config: CoapConfig, site: Site) -> aiocoap.Context:
    try:
        return await aiocoap.Context.create_server_context(
            site, bind=(config.host, config.port), transports=["udp6"]
        )
    except OSError as error:
        raise ConfigError(
            f"cannot listen for CoAP on {config.host}:{config.port}: {error.strerror}",
            "stop what has the port, or set [coap] port",
        ) from error


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
