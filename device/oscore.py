"""Requests under OSCORE (RFC 8613), through an Endpoint: sealed, answered once, believed.

The context follows from the device's secret (wire-format §14). No two requests have one number:
numbers are reserved on flash some ahead, and what a start had left is never used.
"""

import sys

from protocol import coap
from protocol.errors import ProtocolError
from protocol.limits import MAX_DATAGRAM_BYTES
from protocol.oscore_client import Client
from protocol.oscore_parts import Plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.endpoint import Endpoint
    from device.shapes import Board, Sender
    from protocol.coap import Message
    from protocol.oscore_keys import Keys
    from protocol.oscore_parts import Asked, Sealed

RESERVED = 64  # numbers at once: one write of flash for so many requests
_NUMBER_BYTES = 5
_FIRST_EPOCH = 1
_UNAUTHORIZED, _ECHO = 0x81, 252


class Protected:
    """Asks as an Endpoint does; what it gives is what the gateway sealed for this request."""

    def __init__(
        self, board: "Board", endpoint: "Endpoint", folder: str, secret: bytes, identity: "Sender"
    ) -> None:
        """Derives the keys: 28 ms on a Pico, so make one and keep it."""
        self.endpoint = endpoint
        self.block_bytes = endpoint.block_bytes
        self.client = Client(_keys(secret, identity.kid), board.aead)
        self._board = board
        self._path = folder + "/oscore"
        self._used_before = identity.epoch != _FIRST_EPOCH
        self._next = self._last = 0  # of the numbers reserved
        endpoint.answer_bytes = self.answer_bytes = MAX_DATAGRAM_BYTES

    @property
    def reason(self) -> str:
        """As an Endpoint's; "not-protected" where only somebody else has answered."""
        return self.endpoint.reason

    async def exchange(
        self,
        code: int,
        path: str,
        payload: bytes = b"",
        content_format: int | None = None,
        more: "Iterable[tuple[int, bytes]]" = (),
    ) -> "Message | None":
        """As an Endpoint's. Brings an Echo back once (RFC 9175 §2.3)."""
        if len(payload) > self.block_bytes:
            from device import sending

            return await sending.send(self, code, path, payload, content_format, more)
        options = coap.options_of(path, content_format, more)
        answer = await self._ask(code, options, payload)
        if answer is not None and wants_echo(answer, options):
            answer = await self._ask(code, options, payload)
        return answer

    def seal(self, plain: Plain) -> "tuple[Sealed, Asked]":
        """A request under the next number; OSError where that cannot be put on flash before."""
        if self._next == self._last:
            from device import counter

            last = counter.reserve(
                self._board, self._path, _NUMBER_BYTES, RESERVED, used_before=self._used_before
            )
            self._next, self._last, self._used_before = last - RESERVED, last, True
        self._next += 1
        return self.client.protect(self._next, plain)

    async def _ask(
        self, code: int, options: list[tuple[int, bytes]], payload: bytes
    ) -> "Message | None":
        try:
            sealed, asked = self.seal(Plain(code, options, payload))
        except OSError:
            self.endpoint.reason = "flash-error"
            return None
        return await self.endpoint.request(
            sealed.code, sealed.options, sealed.payload, (self._opened, asked)
        )

    def _opened(self, asked: "Asked", message: "Message") -> "Message | None":
        try:
            plain, _ = self.client.unprotect(asked, message.options, message.payload)
        except ProtocolError:
            return None
        return inside(message, plain)


def inside(message: "Message", plain: Plain) -> "Message":
    """The message that was protected, with what lies below of the one it came in."""
    return coap.Message(
        message.type, plain.code, message.message_id, message.token, plain.options, plain.payload
    )


def wants_echo(answer: "Message", options: list[tuple[int, bytes]]) -> bool:
    """Whether to ask again, with the Echo of the answer, which is among `options` then."""
    echo = answer.option(_ECHO)
    if answer.code != _UNAUTHORIZED or echo is None:
        return False
    coap.insert(options, _ECHO, echo)
    return True


def _keys(secret: bytes, kid: bytes) -> "Keys":
    """Derived once in a start, so the code that does goes again."""
    import protocol
    from protocol import oscore_keys, pairing

    keys = pairing.device_keys(pairing.master_secret(secret), kid)
    del sys.modules["protocol.pairing"], sys.modules["protocol.oscore_keys"]
    del protocol.pairing, protocol.oscore_keys, pairing, oscore_keys
    return keys
