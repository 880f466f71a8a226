"""Endpoint: one socket and what becomes of each datagram on it.

In this order: its source's share, a device's readings, the guard, then the message layer under
aiocoap, or whoever observes. Everything before the guard costs the same for garbage as for good
requests, and nothing is remembered of anyone who has not been checked but one number in a table
of fixed size.
"""

import asyncio
import random
import socket
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Protocol, cast

from gateway.coap import guard
from gateway.coap.bulk import Address, Peer
from gateway.coap.limiter import Limiter, source_of
from gateway.coap.messages import Messages
from gateway.coap.mishaps import Mishaps
from gateway.coap.options import OSCORE
from gateway.coap.oscore import OscoreDoor, Outside
from gateway.coap.posted import HEADS, Posted, posted
from gateway.coap.readings import Readings, max_age
from gateway.coap.retrying import RETRY_S, retry_s
from gateway.errors import ANSWERS, BusyError, GatewayError, RateError
from gateway.metrics import Metrics
from protocol import coap
from protocol.coap import ACK, CHANGED, CON, NON, POST, RST, Message

_TICK_S = 0.1
_RATE_MAX_AGE_S = 1
_SOURCES = 4096
_READINGS = tuple(bytes((POST,)) + head for head in HEADS)  # as they start inside of OSCORE


class Datagrams(Protocol):
    """The socket; see gateway.coap.udp."""

    def listen(
        self,
        received: Callable[[list[tuple[bytes, Peer]]], None],
        failed: Callable[[Address], None],
    ) -> None: ...

    def send(self, data: bytes, peer: Peer) -> None: ...

    def close(self) -> None: ...


class Observing(Protocol):
    """Who is told of changes; see gateway.coap.observe."""

    def acknowledged(self, peer: Hashable, message_id: int) -> bool: ...

    def reset(self, peer: Hashable, message_id: int) -> bool: ...


class Endpoint:
    """`per_source`: how many datagrams each address may send. `now_ms` is monotonic."""

    def __init__(
        self,
        udp: Datagrams,
        per_source: Limiter,
        readings: Readings,
        oscore: OscoreDoor,
        metrics: Metrics,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._udp = udp
        self._oscore = oscore
        self._batch: list[Posted] = []  # readings of this turn
        self._per_source = per_source
        self._told = Limiter(per_s=1, burst=1, sources=_SOURCES)
        self._resets = Limiter(per_s=100, burst=200, sources=_SOURCES)
        self._readings = readings
        self._metrics = metrics
        self._mishaps = Mishaps(metrics)
        self._now_ms = now_ms
        self._message_id = random.SystemRandom().randrange(1 << 16)
        readings.attach(self)

    def start(self, messages: Messages, observing: Observing) -> None:
        self._messages, self._observing = messages, observing
        self._ticking = asyncio.create_task(self._tick(), name="coap ticks")
        self._udp.listen(self._received, self._failed)

    async def stop(self) -> None:
        self._udp.close()
        self._ticking.cancel()
        await asyncio.wait([self._ticking])

    def tick(self) -> None:
        """What is due by now: announcements, and what nobody has acknowledged."""
        for part in (self._readings, self._messages):
            try:
                part.tick(self._now_ms())
            except Exception as error:  # the other is due all the same
                self._mishaps.note("ticks", error)

    # --- what goes out ----------------------------------------------------------------------

    def send(self, data: bytes, peer: Peer) -> None:
        self._udp.send(data, peer)

    def send_confirmed(self, data: bytes, peer: Peer) -> None:
        self._messages.send_confirmed(data, peer)

    def next_message_id(self) -> int:
        self._message_id = self._message_id + 1 & 0xFFFF
        return self._message_id

    def jitter(self) -> float:
        return random.random()  # noqa: S311  # spreads retries, hides nothing

    def shed(self, request: Message, peer: Peer) -> None:
        """There is no room for this request: 5.03, or nothing for a NON."""
        self._count("busy")
        if request.type == CON:
            tail = max_age(retry_s(RETRY_S, self.jitter()))
            self._answer(request, ANSWERS[BusyError.reason].coap, tail, peer)

    # --- what comes in ----------------------------------------------------------------------

    def _received(self, datagrams: list[tuple[bytes, Peer]]) -> None:
        batch = self._batch = []
        moment = self._now_ms()
        for data, peer in datagrams:
            if not self._per_source.allows(source_of(peer.address[0]), moment):
                self._over_its_share(data, peer, moment)
                continue
            one = posted(data, peer, moment)
            if one is not None:
                batch.append(one)
                continue
            try:
                self._other(data, peer, moment)
            except Exception as error:  # it takes nothing from the others of its turn
                self._mishaps.note("datagrams", error)
        if batch:
            self._readings.take(batch, moment)

    def _other(self, data: bytes, peer: Peer, moment: int) -> None:
        ruling = guard.judge(data)
        if isinstance(ruling, guard.Passed):
            self._messages.request(ruling, peer)
        elif isinstance(ruling, guard.Settled):
            self._settled(ruling, peer)
        elif isinstance(ruling, guard.Answer):
            self._count("bad-option")
            payload = b"\xff" + ruling.payload if ruling.payload else b""
            self._answer(ruling.request, ruling.code, payload, peer)
        elif isinstance(ruling, guard.Reset):
            self._count("reset")
            if self._resets.allows(source_of(peer.address[0]), moment):
                self.send(coap.empty(RST, ruling.message_id), peer)
        else:
            self._count(ruling.why)

    def is_readings(self, request: Message, peer: Peer) -> bool:
        """Whether `request` is readings under OSCORE; they go with the others of this turn."""
        if request.code != POST or [number for number, _ in request.options] != [OSCORE]:
            return False
        outside = Outside(POST, request.options[0][1], request.payload)
        unsealed = self._oscore.open_exact(outside, _READINGS)
        if unsealed is None:
            return False

        def reply(code: int, tail: bytes) -> None:
            with suppress(GatewayError):  # no number of our own to seal with: it asks again
                sealed = unsealed.kept(bytes((code,)) + tail)
                self._messages.answer(request, peer, bytes((CHANGED,)) + sealed)

        head = coap.encode(request._replace(options=[], payload=b""))
        one = Posted(head + unsealed.plaintext[1:], len(head), peer, self._now_ms())
        one.reply = reply
        self._batch.append(one)
        return True

    def _settled(self, ruling: guard.Settled, peer: Peer) -> None:
        if self._messages.exchanges.settled(peer.address, ruling.message_id):
            return
        if ruling.is_reset:
            self._observing.reset(observer_of(peer), ruling.message_id)
        else:
            self._observing.acknowledged(observer_of(peer), ruling.message_id)

    def _over_its_share(self, data: bytes, peer: Peer, moment: int) -> None:
        """RFC 8516, at most once a second for each source; what is no request hears nothing."""
        self._count(RateError.reason)
        if not self._told.allows(source_of(peer.address[0]), moment):
            return
        ruling = guard.judge(data)
        if isinstance(ruling, guard.Passed) and ruling.message.type == CON:
            code = ANSWERS[RateError.reason].coap
            self._answer(ruling.message, code, max_age(_RATE_MAX_AGE_S), peer)

    def _failed(self, address: Address) -> None:
        """ICMP says that nobody is there: of what we sent there, nothing is sent again."""
        self._count("unreachable")
        self._messages.exchanges.gone(address)

    def _answer(self, request: Message, code: int, tail: bytes, peer: Peer) -> None:
        if request.type == NON:
            kind, message_id = NON, self.next_message_id()
        else:
            kind, message_id = ACK, request.message_id
        head = coap.encode(Message(kind, code, message_id, request.token, [], b""))
        self.send(head + tail, peer)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.tick()

    def _count(self, fate: str) -> None:
        self._metrics.datagrams.labels(fate).inc()


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def observer_of(peer: Peer) -> tuple[Address, bytes | None]:
    """A peer as the site names it: the other end, and which of our addresses it talks to."""
    return peer.address, peer.pktinfo


def peer_of(observer: Hashable) -> Peer:
    """The inverse of `observer_of`."""
    address, pktinfo = cast(tuple[Address, bytes | None], observer)
    if pktinfo is None:
        return Peer(address, [])
    return Peer(address, [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, pktinfo)])
