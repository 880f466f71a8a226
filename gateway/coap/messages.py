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
from gateway.coap.bulk import Address, Peer
from gateway.coap.dedup import PENDING, Dedup
from gateway.coap.exchanges import Exchanges
from gateway.coap.generations import LIFETIME_MS
from protocol import coap
from protocol.coap import ACK, CON, NON, Message
from protocol.oscore_parts import OSCORE

EMPTY_ACK_MS = 1000  # below ACK_TIMEOUT, so that nobody asks again meanwhile (RFC 7252 §5.2.2)
MAX_EXECUTING = 256  # by aiocoap
_MAX_OPEN = 1 << 14  # with those that wait for the writer: more than have room before it
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

    __slots__ = ("acknowledged", "handed", "key", "message", "peer", "since_ms")

    def __init__(self, message: Message, peer: Peer, key: int, since_ms: int) -> None:
        self.message, self.peer, self.key, self.since_ms = message, peer, key, since_ms
        self.acknowledged = message.type != CON  # nobody waits for an ACK
        self.handed = False  # to aiocoap


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
        self._handed = 0
        self._executing: dict[tuple[Address, bytes], _Executing] = {}  # oldest first
        self.exchanges = Exchanges()

    def attach(
        self, process: Callable[[Any], None], shortcut: Callable[[Message, Peer], bool]
    ) -> None:
        """`process` is the TokenManager's process_request. `shortcut` is asked first: where it
        says True, the answer comes by `answer`."""
        self._process, self._shortcut = process, shortcut

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
        remembered = self._requests.begin(key, now_ms)
        if len(self._executing) < _MAX_OPEN and self._shortcut(message, peer):
            self._executing[peer.address, message.token] = _Executing(message, peer, key, now_ms)
            return
        if not remembered or self._handed >= MAX_EXECUTING:
            self._requests.forget(key)
            self._wire.shed(message, peer)
            return
        executing = _Executing(message, peer, key, now_ms)
        executing.handed = True
        self._handed += 1
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

    def answer(self, request: Message, peer: Peer, answer: bytes) -> None:
        """What the shortcut took is answered: `answer` is the code and all after the token."""
        key = (peer.address, request.token)
        executing = self._executing.get(key)
        if executing is not None and executing.message is request:  # else its token has gone on
            self._pop(key)
            self._send(executing, answer)

    # --- what the TokenManager calls --------------------------------------------------------

    def send_message(self, response: Any, messageerror_monitor: Callable[[], None]) -> None:
        executing = self._pop((response.remote.sockaddr, response.token))
        if executing is None:
            return  # given up, or replaced by another request with its token
        silent = bool(response.opt.no_response)  # set where this answer is not wanted (RFC 7967)
        response.opt.no_response = None
        if silent:
            self._acknowledge(executing)
            self._remember(executing, int(response.code), _EMPTY_ANSWER)
        else:
            self._send(executing, _encoded(response))

    async def fill_or_recognize_remote(self, message: Any) -> bool:
        return False  # a server: nothing is asked of anybody

    async def shutdown(self) -> None:
        self._executing.clear()

    # --- single steps -----------------------------------------------------------------------

    def _send(self, executing: _Executing, answer: bytes) -> None:
        """On the ACK if that is still to be sent, else in a message of its own (§5.2)."""
        request, peer = executing.message, executing.peer
        if not executing.acknowledged:
            self._wire.send(_framed(ACK, request.message_id, request.token, answer), peer)
            self._remember(executing, answer[0], answer)
            return
        data = _framed(request.type, self._wire.next_message_id(), request.token, answer)
        if request.type == CON:
            self.send_confirmed(data, peer)
        else:
            self._wire.send(data, peer)  # §5.2.3: NON is answered by NON
        self._remember(executing, answer[0], _EMPTY_ANSWER)

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
        self._wire.send(_framed(ACK, message.message_id, message.token, answer), peer)

    def _acknowledge(self, executing: _Executing) -> None:
        if not executing.acknowledged:
            executing.acknowledged = True
            self._wire.send(coap.empty(ACK, executing.message.message_id), executing.peer)

    def _drop(self, key: tuple[Address, bytes]) -> None:
        """Its answer will not come: the token stands for another request now, or was given up."""
        executing = self._pop(key)
        if executing is not None:
            self._acknowledge(executing)

    def _pop(self, key: tuple[Address, bytes]) -> _Executing | None:
        executing = self._executing.pop(key, None)
        if executing is not None and executing.handed:
            self._handed -= 1
        return executing


def _encoded(response: Any) -> bytes:
    """The code, and all after the token."""
    response.mtype, response.mid = ACK, 0
    data = bytes(response.encode())
    return data[1:2] + data[4 + len(response.token) :]


def _framed(kind: int, message_id: int, token: bytes, answer: bytes) -> bytes:
    head = bytes((0x40 | kind << 4 | len(token), answer[0]))
    return head + message_id.to_bytes(2, "big") + token + answer[1:]
