"""Endpoint: one CoAP request at a time to one peer, over one connected UDP socket.

Owns the socket, tokens and message ids; `protocol.exchange` owns the rules. Judges no
answer: whoever asked decides what it is worth.
"""

import asyncio

from protocol import coap
from protocol.errors import ProtocolError
from protocol.exchange import ACKED, DONE, WAITING, Exchange
from protocol.limits import CONTENT_FORMAT_COSE_MAC0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.clock import Clock
    from device.shapes import Board, Udp
    from protocol.coap import Message

_OPTIONS = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, bytes((CONTENT_FORMAT_COSE_MAC0,)))]
_TOKEN_BYTES = 4
# A receipt takes about 110; of a longer answer the code is all we need, and that is in front.
_ANSWER_BYTES = 320
# Duplicates of answers to the last few requests are acknowledged, not reset.
_REMEMBERED_TOKENS = 4
# So many requests without an answer, and the name is looked up anew on a new socket.
_REOPEN_AFTER = 3
_BLOCK2 = 23
_RESPONSE_CLASSES = (2, 4, 5)


class Endpoint:
    """`reason` says why the last request had no answer; `garbage` counts what was not for us."""

    def __init__(
        self, board: "Board", clock: "Clock", host: str, port: int, ack_timeout_ms: int
    ) -> None:
        self.ack_timeout_ms = ack_timeout_ms
        self.answer_bytes = _ANSWER_BYTES
        self.reason = ""
        self.garbage = 0
        self.retransmissions = 0
        self._board = board
        self._clock = clock
        self._host = host
        self._port = port
        self._udp: Udp | None = None
        self._reader: asyncio.Task[None] | None = None
        self._failures = 0
        self._moved = asyncio.Event()  # the exchange changed its state
        self._exchange: Exchange | None = None
        self._answer: Message | None = None
        self._message_id = board.random_bits(16)
        self._tokens: list[bytes] = []  # the current one last

    async def post(self, payload: bytes) -> "Message | None":
        """The response to POST /r with an envelope; None and a `reason` where there is none."""
        return await self.request(coap.POST, _OPTIONS, payload)

    async def request(
        self, code: int, options: "list[tuple[int, bytes]]", payload: bytes = b""
    ) -> "Message | None":
        try:
            udp = await self._opened()
        except OSError:
            self.reason = "no-address"
            return None
        self._message_id = (self._message_id + 1) & 0xFFFF
        self._tokens = self._tokens[1 - _REMEMBERED_TOKENS :]
        self._tokens.append(self._board.random_bytes(_TOKEN_BYTES))
        request = coap.Message(coap.CON, code, self._message_id, self._tokens[-1], options, payload)
        answer = await self._exchanged(udp, coap.encode(request))
        self._failures = self._failures + 1 if answer is None else 0
        return answer

    async def close(self) -> None:
        """Gives the socket back; the next `post` opens another."""
        if self._reader is not None:
            self._reader.cancel()
            try:
                await self._reader
            except asyncio.CancelledError:
                pass
        if self._udp is not None:
            self._udp.close()
        self._udp = self._reader = None

    async def _opened(self) -> "Udp":
        if self._reader is not None and (self._reader.done() or self._failures >= _REOPEN_AFTER):
            await self.close()
            self._failures = 0
        if self._udp is None:
            self._udp = self._board.open_udp(self._host, self._port)
            self._reader = asyncio.create_task(self._read(self._udp))
        return self._udp

    async def _exchanged(self, udp: "Udp", datagram: bytes) -> "Message | None":
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
        self._exchange = None
        if exchange.state == DONE:
            return self._answer
        self.reason = self.reason if self.reason == "reset" else "no-answer"
        return None

    async def _read(self, udp: "Udp") -> None:
        """The one task that receives on the socket; ends only by being cancelled."""
        while True:
            self.handle(udp, await udp.receive(self.answer_bytes))
            await self._board.sleep_ms(0)  # a flood must not starve the other tasks

    def handle(self, udp: "Udp", datagram: bytes) -> None:
        """What RFC 7252 §4.2, §4.3 and §5.3.2 ask for, for one datagram."""
        try:
            message = coap.decode(datagram)
        except ProtocolError:
            self.garbage += 1
            return
        if message.code == coap.EMPTY:
            self._handle_empty(udp, message)
        elif message.code >> 5 in _RESPONSE_CLASSES and self._understands(message):
            self._handle_response(udp, message)
        else:
            self._refuse(udp, message)

    def _handle_empty(self, udp: "Udp", message: "Message") -> None:
        if message.type == coap.CON:  # a CoAP ping, answered by a reset
            udp.send(coap.empty(coap.RST, message.message_id))
        elif message.message_id == self._message_id and message.type == coap.ACK:
            self._move("ack")
        elif message.message_id == self._message_id and message.type == coap.RST:
            self._move("reset")

    def _understands(self, message: "Message") -> bool:
        """Odd options are critical (§5.4.1), and we asked for none of them."""
        for number, _ in message.options:
            if number & 1 and number != _BLOCK2:
                return False
        return message.type != coap.RST

    def _handle_response(self, udp: "Udp", message: "Message") -> None:
        if message.token not in self._tokens:
            self._refuse(udp, message)
            return
        if message.type == coap.CON:
            udp.send(coap.empty(coap.ACK, message.message_id))
        current = message.token == self._tokens[-1]
        if message.type == coap.ACK and message.message_id != self._message_id:
            current = False
        if current and self._exchange is not None and self._answer is None:
            self._answer = message
            self._move("response")

    def _refuse(self, udp: "Udp", message: "Message") -> None:
        self.garbage += 1
        if message.type == coap.CON:
            udp.send(coap.empty(coap.RST, message.message_id))

    def _move(self, event: str) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.state in (WAITING, ACKED):
            exchange.received(event, self._clock.uptime_ms())
            self.reason = event
            self._moved.set()
