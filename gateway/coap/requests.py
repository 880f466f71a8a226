"""A request and a response as values: what every handler of the CoAP door takes and gives.

No message type, no message ID, no socket: those are the endpoint's. A request whose datagram
was OSCORE is the inner one, with `who` set.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import NamedTuple

GET, POST, PUT, DELETE = 1, 2, 3, 4
METHODS = (GET, POST, PUT, DELETE)  # FETCH, PATCH and iPATCH (RFC 8132) are none of ours

CREATED, DELETED, VALID, CHANGED, CONTENT, CONTINUE = 0x41, 0x42, 0x43, 0x44, 0x45, 0x5F
BAD_REQUEST, UNAUTHORIZED, BAD_OPTION = 0x80, 0x81, 0x82
SERVER_ERROR = 0xA0

IF_MATCH, URI_HOST, ETAG, IF_NONE_MATCH, OBSERVE, URI_PORT = 1, 3, 4, 5, 6, 7
OSCORE, URI_PATH, CONTENT_FORMAT, MAX_AGE, URI_QUERY = 9, 11, 12, 14, 15
HOP_LIMIT, ACCEPT, BLOCK2, BLOCK1, SIZE2, SIZE1 = 16, 17, 23, 27, 28, 60
ECHO, NO_RESPONSE, REQUEST_TAG = 252, 258, 292
TOKEN = 65001  # ours: a bearer token in plain text; odd, so critical (RFC 7252 §5.4.1)

_ERROR = 0x80
_MAX_TOKEN_BYTES = 8


class Request(NamedTuple):
    """`options` are all of them, (number, value) in ascending order; `path` and `queries` again.

    `peer` is equal for equal remote endpoints, `token` is the message's. `size_bytes` is that of
    the datagram. `local`: from a loopback address, which nobody elsewhere can forge. `who` is the
    name of the OSCORE identity or the token, `scope` what it may; None for nobody. `protect`
    turns a notification into what is sent: OSCORE sets it (RFC 8613 §8.3).
    """

    code: int
    path: tuple[str, ...]
    queries: tuple[str, ...]
    options: Sequence[tuple[int, bytes]]
    payload: bytes
    peer: Hashable
    token: bytes
    size_bytes: int
    local: bool = False
    who: str | None = None
    scope: str | None = None
    protect: "Callable[[Response], Response] | None" = None

    def first(self, number: int) -> bytes | None:
        """The first value of option `number`."""
        for candidate, value in self.options:
            if candidate == number:
                return value
        return None

    def every(self, number: int) -> tuple[bytes, ...]:
        return tuple(value for candidate, value in self.options if candidate == number)

    def number(self, number: int) -> int | None:
        """The first value of option `number` as an unsigned integer (RFC 7252 §3.2)."""
        value = self.first(number)
        return None if value is None else int.from_bytes(value, "big")


class Response(NamedTuple):
    """`options` in any order; whoever sends it sorts them."""

    code: int
    options: Sequence[tuple[int, bytes]] = ()
    payload: bytes = b""

    def first(self, number: int) -> bytes | None:
        for candidate, value in self.options:
            if candidate == number:
                return value
        return None

    def number(self, number: int) -> int | None:
        value = self.first(number)
        return None if value is None else int.from_bytes(value, "big")

    def with_options(self, *options: tuple[int, bytes]) -> "Response":
        return self._replace(options=(*self.options, *options))

    @property
    def refused(self) -> bool:
        return self.code >= _ERROR


Handler = Callable[[Request], Awaitable[Response]]


def uint(number: int) -> bytes:
    """An option's unsigned integer: no leading zeros, nothing for 0 (RFC 7252 §3.2)."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def ordered(options: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """As they are sent: by number, those of one number as they were (RFC 7252 §3.1)."""
    return sorted(options, key=_number_of)


def suppressed(no_response: int | None, code: int) -> bool:
    """Whether No-Response asks for silence on this class of answer (RFC 7967 §2.1)."""
    return bool((no_response or 0) >> (code >> 5) - 1 & 1)


def _number_of(option: tuple[int, bytes]) -> int:
    return option[0]


def size_of(response: Response) -> int:
    """At most so many bytes as a datagram, whatever the token."""
    options = sum(5 + len(value) for _, value in response.options)  # RFC 7252 §3.1: head of 1 to 5
    return 4 + _MAX_TOKEN_BYTES + options + 1 + len(response.payload)
