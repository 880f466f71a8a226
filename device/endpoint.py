"""Endpoint: one CoAP request at a time to one peer, over one connected UDP socket.

Owns the socket, tokens and message ids; `protocol.exchange` owns the rules. Judges no
answer: whoever asked decides what it is worth.
"""

import asyncio

from protocol import coap
from protocol.errors import ProtocolError
from protocol.exchange import ACKED, DONE, WAITING, Exchange
from protocol.limits import MAX_ENVELOPE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    from device.clock import Clock
    from device.shapes import Board, Udp
    from protocol.coap import Message
    from protocol.oscore_parts import Asked

    Opens = tuple[Callable[[Asked, Message], Message | None], Asked]
    Heard = Callable[[Message], bool]

_TOKEN_BYTES = 8  # random: whoever cannot read our datagrams cannot answer them (RFC 7252 §5.3.1)
# A receipt takes about 110; of a longer answer the code is all we need, and that is in front.
_ANSWER_BYTES = 320
# Duplicates of answers to the last few requests are acknowledged, not reset.
_REMEMBERED_TOKENS = 4
# NSTART is 1 (§4.7): so many more may wait for their turn, and the next is refused as "busy".
_MOST_WAITING = 4
_TURN_MS = 60_000  # of who waits for another request to end, and looks again
# So many requests without an answer, and the name is looked up anew on a new socket.
_REOPEN_AFTER = 3
_RESPONSE_CLASSES = (2, 4, 5)
_READ = (9, 23, 27)  # the critical options that somebody here reads: OSCORE, Block2, Block1


class Endpoint:
    """`reason` says why the last request had no answer; `garbage` counts what was not for us.

    Of answers over `answer_bytes` the rest is cut off; who expects longer ones says so.
    `sockets` counts those opened: on another one no observation goes on. `heard` takes what comes
    under the token of an observation, and says whether it believes it, else it is as if lost.
    """

    def __init__(
        self, board: "Board", clock: "Clock", host: str, port: int, ack_timeout_ms: int
    ) -> None:
        self.ack_timeout_ms = ack_timeout_ms
        self.block_bytes = MAX_ENVELOPE_BYTES  # what is longer goes in blocks
        self.answer_bytes = _ANSWER_BYTES
        self.reason = ""
        self.garbage = 0
        self.retransmissions = 0
        self.sockets = 0
        self.heard: dict[bytes, Heard] = {}
        self._board = board
        self._clock = clock
        self._host = host
        self._port = port
        self._udp: Udp | None = None
        self._reader: asyncio.Task[None] | None = None
        self._failures = 0
        self._waiting = 0
        self._woken = board.event()  # set while nobody's request is on its way
        self._woken.set()
        self._moved = board.event()  # the exchange changed its state
        self._exchange: Exchange | None = None
        self._answer: Message | None = None
        self._opens: Opens | None = None
        self._message_id = board.random_bits(16)
        self._tokens: list[bytes] = []  # the current one last

    def exchange(
        self,
        code: int,
        path: str,
        payload: bytes = b"",
        content_format: int | None = None,
        more: "Iterable[tuple[int, bytes]]" = (),
    ) -> "Coroutine[Any, Any, Message | None]":
        """The response; None and a `reason` where there is none.

        `path` is "r" or "home/kitchen"; `more` are further options. A payload over
        `block_bytes` goes in blocks; of an answer in blocks this is the first one.
        """
        if len(payload) > self.block_bytes:
            from device import sending

            return sending.send(self, code, path, payload, content_format, more)
        return self.request(code, coap.options_of(path, content_format, more), payload)

    async def request(
        self,
        code: int,
        options: list[tuple[int, bytes]],
        payload: bytes = b"",
        opens: "Opens | None" = None,
        token: bytes = b"",
    ) -> "Message | None":
        """As `exchange`. `opens` is (f, asked): f(asked, response) opens what is sealed, or None.

        Then it is as if nothing had come, but for our patience: nothing is sent again, and the
        real one has two more timeouts to come in.
        """
        if self._waiting > _MOST_WAITING:
            self.reason = "busy"
            return None
        self._waiting += 1
        try:
            while not self._woken.is_set():
                await self._board.wait(self._woken, _TURN_MS)
            self._woken.clear()
            self._opens = opens
            try:
                if self._udp is None or self._failures >= _REOPEN_AFTER or self._is_deaf():
                    await self._open()
                if self._udp is None:
                    self.reason = "no-address"
                    return None
                datagram = self._datagram(code, options, payload, token)
                return await self._exchanged(self._udp, datagram)
            finally:
                self._opens = self._exchange = None
                self._woken.set()
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Gives the socket back; the next request opens another."""
        if self._reader is not None:
            self._reader.cancel()
            try:
                await self._reader
            except asyncio.CancelledError:
                pass
        if self._udp is not None:
            self._udp.close()
        self._udp = self._reader = None

    def look_up_again(self) -> None:
        """The next request looks the name up anew, and opens another socket."""
        if self._udp is not None:
            self._failures = _REOPEN_AFTER

    async def _open(self) -> None:
        """Another socket, if there can be one; whoever has the last one loses it."""
        await self.close()
        self._failures = 0
        try:
            self._udp = self._board.open_udp(self._host, self._port)
        except OSError:
            return
        self.sockets += 1
        self._reader = asyncio.create_task(self._read(self._udp))

    def _datagram(
        self, code: int, options: list[tuple[int, bytes]], payload: bytes, token: bytes
    ) -> bytes:
        """A request under the next message id, and a token of its own unless it is given one."""
        self._message_id = (self._message_id + 1) & 0xFFFF
        self._tokens = self._tokens[1 - _REMEMBERED_TOKENS :]
        self._tokens.append(token or self._board.random_bytes(_TOKEN_BYTES))
        message = coap.Message(coap.CON, code, self._message_id, self._tokens[-1], options, payload)
        return coap.encode(message)

    def _is_deaf(self) -> bool:
        """Nobody receives any more, as where the socket failed."""
        return self._reader is not None and self._reader.done()

    async def _exchanged(self, udp: "Udp", datagram: bytes) -> "Message | None":
        self.reason = "no-answer"
        udp.limit_bytes = self.answer_bytes
        self._answer = None
        self._moved.clear()
        exchange = self._exchange = Exchange(
            datagram,
            self._clock.uptime_ms(),
            self._board.random_bits(16) / 65_536,
            ack_timeout_ms=self.ack_timeout_ms,
        )
        udp.send(datagram)
        while exchange.state in (WAITING, ACKED):
            wait_ms = exchange.due_ms - self._clock.uptime_ms()
            await self._board.wait(self._moved, max(wait_ms, 1))
            self._moved.clear()
            again = exchange.due(self._clock.uptime_ms())
            if again is not None:
                self.retransmissions += 1
                udp.send(again)
        answer = self._answer if exchange.state == DONE else None
        self._failures = self._failures + 1 if answer is None else 0
        return answer

    async def _read(self, udp: "Udp") -> None:
        """The one task that receives on the socket; ends only by being cancelled."""
        while True:
            self.handle(udp, await udp.receive())
            await self._board.sleep_ms(0)  # a flood must not starve the other tasks

    def handle(self, udp: "Udp", datagram: bytes) -> None:
        """What RFC 7252 §4.2, §4.3 and §5.3.2 ask for, for one datagram."""
        size = len(datagram)
        if size < 4 or datagram[0] >> 6 != 1 or 4 + (datagram[0] & 15) > size:
            self.garbage += 1
            return
        kind, message_id = datagram[0] >> 4 & 3, datagram[2] << 8 | datagram[3]
        if size == 4 and datagram[1] == coap.EMPTY:
            self._handle_empty(udp, kind, message_id)
            return
        # Options are read only for who knows a token: a list of them is what can fill the heap.
        token = bytes(datagram[4 : 4 + (datagram[0] & 15)])
        if token in self._tokens or token in self.heard:
            try:
                message = coap.decode(datagram)
            except (ProtocolError, MemoryError):
                self.garbage += 1
                return
            if _understands(message):
                self._handle_response(udp, message)
                return
        self._refuse(udp, kind, message_id)

    def _handle_empty(self, udp: "Udp", kind: int, message_id: int) -> None:
        if kind == coap.CON:  # a CoAP ping, answered by a reset
            udp.send(coap.empty(coap.RST, message_id))
        elif message_id == self._message_id and kind == coap.ACK:
            self._move("ack")
        elif message_id == self._message_id and kind == coap.RST:
            if not self._is_idle():
                self.reason = "reset"
            self._move("reset")

    def _handle_response(self, udp: "Udp", message: "Message") -> None:
        if message.type == coap.ACK and message.message_id != self._message_id:
            return
        heard = self.heard.get(message.token)
        taken = self._settles(message) or (heard is not None and heard(message))
        if not taken and message.token == self._tokens[-1]:
            self._doubt()
        # Duplicates of answers are acknowledged, too. What an observation does not believe is not.
        if message.type == coap.CON and (taken or heard is None):
            udp.send(coap.empty(coap.ACK, message.message_id))

    def _settles(self, message: "Message") -> bool:
        """Whether it is the answer that the exchange waits for."""
        if self._is_idle() or message.token != self._tokens[-1]:
            return False
        answer: Message | None = message
        if self._opens is not None:
            answer = self._opens[0](self._opens[1], message)
        if answer is None:
            return False
        self._answer = answer
        self._move("response")
        return True

    def _doubt(self) -> None:
        """Somebody answered, and cannot prove who: the exchange is patient for a while only."""
        exchange = self._exchange
        if not self._is_idle() and exchange is not None and self.reason != "not-protected":
            self.reason = "not-protected"
            self._move("ack")
            exchange.due_ms = self._clock.uptime_ms() + 2 * self.ack_timeout_ms

    def _refuse(self, udp: "Udp", kind: int, message_id: int) -> None:
        self.garbage += 1
        if kind == coap.CON:
            udp.send(coap.empty(coap.RST, message_id))

    def _is_idle(self) -> bool:
        return self._exchange is None or self._exchange.state not in (WAITING, ACKED)

    def _move(self, event: str) -> None:
        if self._exchange is not None and not self._is_idle():
            self._exchange.received(event, self._clock.uptime_ms())
            self._moved.set()


def _understands(message: "Message") -> bool:
    """A response, and no option in it that is critical (odd, §5.4.1) and nobody here reads."""
    for number, _ in message.options:
        if number & 1 and number not in _READ:
            return False
    return message.type != coap.RST and message.code >> 5 in _RESPONSE_CLASSES
