"""The CoAP door: its parts put together, on one socket."""

import asyncio
import os
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import aiocoap
import structlog
from aiocoap.tokenmanager import TokenManager

from gateway.coap.answering import Answering
from gateway.coap.bulk import Peer
from gateway.coap.contexts import Contexts
from gateway.coap.dedup import Dedup, key_of
from gateway.coap.echo import Echoes
from gateway.coap.endpoint import Endpoint, now_ms, peer_of
from gateway.coap.identity import Identity
from gateway.coap.limiter import Limiter
from gateway.coap.messages import Messages
from gateway.coap.mishaps import Mishaps
from gateway.coap.notifying import Notifier
from gateway.coap.oscore import OscoreDoor
from gateway.coap.protecting import Protecting
from gateway.coap.readings import Clocks, Readings
from gateway.coap.reserving import Clock, Reserving
from gateway.coap.signed import Signed
from gateway.coap.site import Site
from gateway.coap.surface import Behind, routes_of
from gateway.coap.udp import UdpSocket
from gateway.config import CoapConfig, is_loopback
from gateway.signatures.pool import Pool

_log = structlog.get_logger("coap")
_KEY_BYTES = 32
_SOURCES = 4096  # remembered for certain, of addresses and of devices
_REQUESTS = 1 << 15  # remembered in 82 s: 400 a second, and 3 MB


@asynccontextmanager
async def serving(config: CoapConfig, behind: Behind) -> AsyncIterator[None]:
    """Serves until the block ends. ConfigError where the address cannot be had."""
    if config.plain_tokens:
        _log.warning("tokens go over CoAP in plain text: whoever reads the network has them")
    echoes = Echoes(os.urandom(_KEY_BYTES))
    pool = Pool(behind.metrics.signatures.lost.inc)
    signed = _signed(pool, behind)
    answering = _answering(config, behind, signed, echoes)
    clock = Clock(behind.surroundings.unix_ms, now_ms, behind.newest_ms)
    reserving = Reserving(behind.surroundings.numbers, clock)
    oscore = OscoreDoor(Contexts(behind.members.registry), reserving.open(), echoes)
    endpoint = _endpoint(config, behind, signed, oscore)
    messages = _messages(endpoint)
    protecting = Protecting(
        oscore,
        answering.answer,
        behind.metrics,
        keep_up=behind.members.keep_up,
        now_ms=now_ms,
    )
    context = _over(messages, endpoint, Site(protecting.answer))
    parts = _Notices(endpoint), answering.render, Mishaps(behind.metrics)
    notifier = Notifier(*parts, now_ms=now_ms, random=endpoint.jitter)
    answering.observers = notifier.observers
    tasks = [asyncio.create_task(part.run()) for part in (notifier, reserving)]
    endpoint.start(messages, notifier.observers)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await context.shutdown()
        pool.close()  # while there still is a socket to tell what was not checked
        await endpoint.stop()


def _signed(pool: Pool, behind: Behind) -> Signed:
    return Signed(
        pool, behind.metrics, revoke=behind.members.revoke, record=behind.sequencer.submit
    )


def _endpoint(config: CoapConfig, behind: Behind, signed: Signed, oscore: OscoreDoor) -> Endpoint:
    most = config.max_per_source_s
    return Endpoint(
        UdpSocket(config.host, config.port),
        Limiter(per_s=most, burst=2 * most, sources=_SOURCES),
        _readings(config, behind, signed),
        oscore,
        behind.metrics,
        now_ms=now_ms,
    )


def _answering(config: CoapConfig, behind: Behind, signed: Signed, echoes: Echoes) -> Answering:
    unix_ms = behind.surroundings.unix_ms
    return Answering(
        routes_of(behind, signed, reading_is_free=is_loopback(config.host), now_ms=now_ms),
        echoes,
        behind.metrics,
        identify=Identity(behind.tokens, plain=config.plain_tokens, unix_ms=unix_ms),
        now_ms=now_ms,
    )


class _Notices:
    """The endpoint, as the notifier sees it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.next_message_id = endpoint.next_message_id

    def send(self, data: bytes, peer: Hashable) -> None:
        self._endpoint.send(data, peer_of(peer))


def _readings(config: CoapConfig, behind: Behind, signed: Signed) -> Readings:
    most = config.max_per_device_s
    readings = Readings(
        behind.members,
        behind.sequencer,
        behind.metrics,
        Limiter(per_s=most, burst=2 * most, sources=_SOURCES),
        signed,
        Clocks(now_ms, behind.time_ms),
    )
    readings.news = behind.desk.news
    return readings


def _messages(endpoint: Endpoint) -> Messages:
    secret = os.urandom(_KEY_BYTES)

    def key(peer: Peer, message_id: int) -> int:
        return key_of(secret, repr(peer.address[:2]).encode(), message_id)

    requests = Dedup(now_ms(), per_generation=_REQUESTS)
    return Messages(endpoint, requests, key_of=key, now_ms=now_ms)


def _over(messages: Messages, endpoint: Endpoint, site: Site) -> aiocoap.Context:
    """aiocoap on our message layer in the place of its own: see docs/decisions/0020."""
    context = aiocoap.Context(serversite=site, loggername="coap-server")
    tokens = TokenManager(context)
    tokens.token_interface = messages
    messages.attach(tokens.process_request, endpoint.is_readings)
    context.request_interfaces.append(tokens)
    return context
