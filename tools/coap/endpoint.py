"""One socket to one gateway: a request at a time, and the notifications that come meanwhile.

`protocol.exchange` has the rules of retransmission; here are the socket, the clock and the dice.
"""

import random
import secrets
import socket
import time
from collections import deque
from collections.abc import Sequence

from protocol import coap
from protocol.coap import ACK, CON, NON, RST, Message
from protocol.errors import ProtocolError
from protocol.exchange import FAILED, Exchange

_TOKEN_BYTES = 4
_LARGEST = 65_535
_MAX_HELD = 64  # notifications that wait to be read; an older one is worth nothing
Options = Sequence[tuple[int, bytes]]


class NoAnswerError(Exception):
    """The message says why."""


class Endpoint:
    """`timeout_s` is how long one answer may take; each of a name's addresses is tried once."""

    def __init__(self, host: str, port: int, *, timeout_s: float, confirmable: bool = True) -> None:
        """NoAnswerError where there is no such host."""
        self._host, self._port = host, port
        self.timeout_s = timeout_s
        self._confirmable = confirmable
        self._message_id = secrets.randbits(16)
        self._notifications: deque[Message] = deque(maxlen=_MAX_HELD)
        self._observed: set[bytes] = set()
        try:
            self._addresses = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise NoAnswerError(f"{host}: {error.strerror}") from error
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def ask(self, code: int, options: Options, payload: bytes = b"", token: bytes = b"") -> Message:
        """The response. NoAnswerError where none comes in time, or the peer resets."""
        token = token or self.new_token()
        if self._socket is not None:
            return self._ask(self._socket, code, token, (options, payload))
        refused: OSError | None = None
        for family, kind, _, _, address in self._addresses:
            try:
                opened = socket.socket(family, kind)
                opened.connect(address)
                answer = self._ask(opened, code, token, (options, payload))
            except OSError as error:  # an ICMP error, most of all: nobody has the port
                opened.close()
                refused = error
                continue
            except BaseException:
                opened.close()
                raise
            self._socket = opened
            return answer
        why = refused.strerror if refused else "no address"
        raise NoAnswerError(f"nobody answers at {self._host} port {self._port}: {why}")

    def new_token(self) -> bytes:
        return secrets.token_bytes(_TOKEN_BYTES)

    def observe(self, token: bytes, observed: bool) -> None:
        """Whether notifications under `token` are kept for `next`; others are reset."""
        (self._observed.add if observed else self._observed.discard)(token)

    def next(self, token: bytes, timeout_s: float) -> Message | None:
        """The next notification under `token`, None where none comes in time."""
        end_s = time.monotonic() + timeout_s
        while True:
            while self._notifications:
                message = self._notifications.popleft()
                if message.token == token:
                    return message
            left_s = end_s - time.monotonic()
            if left_s <= 0 or self._socket is None:
                return None
            try:
                self._receive(self._socket, left_s)
            except ConnectionError as error:
                raise NoAnswerError(f"{self._host} port {self._port}: {error.strerror}") from error

    def _ask(
        self, door: socket.socket, code: int, token: bytes, rest: tuple[Options, bytes]
    ) -> Message:
        options = sorted(rest[0], key=lambda option: option[0])
        kind = CON if self._confirmable else NON
        self._message_id = self._message_id + 1 & 0xFFFF
        request = Message(kind, code, self._message_id, token, options, rest[1])
        datagram = coap.encode(request)
        door.send(datagram)
        # a NON is sent once: its exchange has nothing to wait for but the answer
        exchange = Exchange(datagram, _now_ms(), random.random())  # noqa: S311  # no secret
        if kind == NON:
            exchange.received("ack", _now_ms())
        return self._await(door, request, exchange)

    def _await(self, door: socket.socket, request: Message, exchange: Exchange) -> Message:
        end_ms = _now_ms() + int(self.timeout_s * 1000)
        while True:
            again = exchange.due(_now_ms())
            if again:
                door.send(again)
            left_ms = min(exchange.due_ms, end_ms) - _now_ms()
            if exchange.state == FAILED or _now_ms() >= end_ms:
                raise NoAnswerError(
                    f"{self._host} port {self._port} did not answer in {self.timeout_s:g} s"
                )
            message = self._receive(door, max(left_ms, 1) / 1000, request)
            if message is None:
                continue
            if message.type == RST:
                raise NoAnswerError(f"{self._host} port {self._port} does not want the message")
            if message.code != coap.EMPTY:
                return message
            exchange.received("ack", _now_ms())

    def _receive(
        self, door: socket.socket, timeout_s: float, request: Message | None = None
    ) -> Message | None:
        """A message that concerns `request`; others are kept, acknowledged or reset."""
        door.settimeout(timeout_s)
        try:
            message = coap.decode(door.recv(_LARGEST))
        except (TimeoutError, ProtocolError):
            return None
        if message.type in (ACK, RST):
            ours = request is not None and message.message_id == request.message_id
            fits = message.code == coap.EMPTY or (request and message.token == request.token)
            return message if ours and fits else None
        asked = request is not None and message.token == request.token
        wanted = message.code >> 5 in (2, 4, 5) and (asked or message.token in self._observed)
        if message.type == CON:
            door.send(coap.empty(ACK if wanted else RST, message.message_id))
        if wanted and not asked:
            self._notifications.append(message)
        return message if wanted and asked else None


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
