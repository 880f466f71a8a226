"""Messages: requests on their way to aiocoap, and its responses on their way out (RFC 7252 §4).

Stands where aiocoap has its MessageManager, under its TokenManager. Each request is executed
once; an answer that is not there within a second is announced with an empty ACK and follows in a
message of its own. Bounded: requests in execution, answers remembered, messages unacknowledged.
"""

from collections.abc import Callable
from typing import Any, Protocol

import aiocoap
from aiocoap.transports.udp6 import UDP6EndpointAddress

from gateway.coap import guard
from gateway.coap.dedup import PENDING, Dedup
from gateway.coap.exchanges import Exchanges
from gateway.coap.generations import LIFETIME_MS
from gateway.coap.udp import Address, Peer
from protocol import coap
from protocol.coap import ACK, CON, NON, Message
from protocol.oscore import OSCORE

EMPTY_ACK_MS = 1000  # below ACK_TIMEOUT, so that nobody asks again meanwhile (RFC 7252 §5.2.2)
MAX_EXECUTING = 256
_GET, _FETCH = 1, 5  # safe: executed again where the answer was lost, so it need not be kept
_ABANDONED_MS = LIFETIME_MS
_CLIENT_ERROR = 4
_EMPTY_ANSWER = b"\0"  # remembered where the answer went another way


class Wire(Protocol):
    """The endpoint, as this module sees it."""

    def send(self, data: bytes, peer: Peer) -> None: ...

    def next_message_id(self) -> int: ...

    def jitter(self) -> float: ...

    def shed(self, request: Message, peer: Peer) -> None: ...


class _Executing:
    """A request that aiocoap has, and what is known of its answer."""

    __slots__ = ("acknowledged", "key", "message", "peer", "since_ms")

    def __init__(self, message: Message, peer: Peer, key: int, since_ms: int) -> None:
        self.message, self.peer, self.key, self.since_ms = message, peer, key, since_ms
        self.acknowledged = message.type != CON  # nobody waits for an ACK


class Messages:
    """What aiocoap's TokenManager asks of its `token_interface`, in the one way a server needs."""

    def __init__(
        self,
        wire: Wire,
        requests: Dedup,
        *,
        key_of: Callable[[Peer, int], int],
        now_ms: Callable[[], int],
    ) -> None:
        self._wire = wire
        self._requests = requests
        self._key_of = key_of
        self._now_ms = now_ms
        self._executing: dict[tuple[Address, bytes], _Executing] = {}  # oldest first
        self.exchanges = Exchanges()

    def attach(self, process: Callable[[Any], None]) -> None:
        """`process` is the TokenManager's process_request."""
        self._process = process

    def __len__(self) -> int:
        return len(self._executing) + len(self.exchanges)

    def request(self, passed: guard.Passed, peer: Peer) -> None:
        """A request that the guard has passed: executed, or answered as it was before."""
        message, now_ms = passed.message, self._now_ms()
        key = self._key_of(peer, message.message_id)
        answer = self._requests.find(key, now_ms)
        if answer is not None:
            self._again(message, peer, answer)
            return
        self._drop((peer.address, message.token))
        if len(self._executing) >= MAX_EXECUTING or not self._requests.begin(key, now_ms):
            self._wire.shed(message, peer)
            return
        executing = _Executing(message, peer, key, now_ms)
        self._executing[peer.address, message.token] = executing
        remote = UDP6EndpointAddress(peer.address, self, pktinfo=peer.pktinfo)
        self._process(aiocoap.Message.decode(passed.data, remote))

    def tick(self, now_ms: int) -> None:
        """What is due: empty ACKs, and messages that nobody has acknowledged."""
        for executing in list(self._executing.values()):
            waited_ms = now_ms - executing.since_ms
            if waited_ms < EMPTY_ACK_MS:
                break
            self._acknowledge(executing)
            if waited_ms > _ABANDONED_MS:
                self._drop((executing.peer.address, executing.message.token))
        for datagram, peer in self.exchanges.due(now_ms):
            self._wire.send(datagram, peer)

    def send_confirmed(self, datagram: bytes, peer: Peer) -> None:
        """`datagram` is a CON: sent until it is acknowledged, or four times more."""
        self.exchanges.add(datagram, peer, self._now_ms(), self._wire.jitter())
        self._wire.send(datagram, peer)

    # --- what the TokenManager calls --------------------------------------------------------

    def send_message(self, response: Any, messageerror_monitor: Callable[[], None]) -> None:
        executing = self._executing.pop((response.remote.sockaddr, response.token), None)
        if executing is None:
            return  # given up, or replaced by another request with its token
        silent = bool(response.opt.no_response)  # set where this answer is not wanted (RFC 7967)
        response.opt.no_response = None
        if silent:
            self._acknowledge(executing)
            self._remember(executing, int(response.code), _EMPTY_ANSWER)
        elif executing.acknowledged:
            self._send_separately(executing, response)
        else:
            data = _encoded(response, ACK, executing.message.message_id)
            self._wire.send(data, executing.peer)
            answer = data[1:2] + data[4 + len(response.token) :]
            self._remember(executing, int(response.code), answer)

    async def fill_or_recognize_remote(self, message: Any) -> bool:
        return False  # a server: nothing is asked of anybody

    async def shutdown(self) -> None:
        self._executing.clear()

    # --- single steps -----------------------------------------------------------------------

    def _send_separately(self, executing: _Executing, response: Any) -> None:
        kind = executing.message.type  # RFC 7252 §5.2.3: NON is answered by NON
        data = _encoded(response, kind, self._wire.next_message_id())
        if kind == CON:
            self.send_confirmed(data, executing.peer)
        else:
            self._wire.send(data, executing.peer)
        self._remember(executing, int(response.code), _EMPTY_ANSWER)

    def _remember(self, executing: _Executing, code: int, answer: bytes) -> None:
        asked = executing.message
        safe = asked.code in (_GET, _FETCH) and asked.option(OSCORE) is None  # opened only once
        if safe or code >> 5 == _CLIENT_ERROR:
            self._requests.forget(executing.key)  # nothing was changed; after a 5.xx who knows
        else:
            self._requests.finish(executing.key, answer)

    def _again(self, message: Message, peer: Peer, answer: bytes) -> None:
        """A duplicate (§4.5): a CON hears what it heard before."""
        if message.type == NON:
            return
        if answer == PENDING:
            executing = self._executing.get((peer.address, message.token))
            if executing is None or not executing.acknowledged:
                return  # the answer, or the empty ACK, comes soon
            answer = _EMPTY_ANSWER
        if answer == _EMPTY_ANSWER:
            self._wire.send(coap.empty(ACK, message.message_id), peer)
            return
        head = bytes((0x40 | ACK << 4 | len(message.token), answer[0]))
        identity = message.message_id.to_bytes(2, "big") + message.token
        self._wire.send(head + identity + answer[1:], peer)

    def _acknowledge(self, executing: _Executing) -> None:
        if not executing.acknowledged:
            executing.acknowledged = True
            self._wire.send(coap.empty(ACK, executing.message.message_id), executing.peer)

    def _drop(self, key: tuple[Address, bytes]) -> None:
        """Its answer will not come: the token stands for another request now, or was given up."""
        executing = self._executing.pop(key, None)
        if executing is not None:
            self._acknowledge(executing)


def _encoded(response: Any, kind: int, message_id: int) -> bytes:
    response.mtype, response.mid = kind, message_id
    return bytes(response.encode())
