"""CoAP messages and their bytes (RFC 7252 §3), UDP only.

Strict both ways: `decode` refuses every format error of §3; what an option means is not its
business.
"""

from collections import namedtuple

from protocol.errors import MalformedError, TooLargeError
from protocol.limits import MAX_DATAGRAM_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CON, NON, ACK, RST = 0, 1, 2, 3
EMPTY, GET, POST = 0, 1, 2
CHANGED, CONTENT = 0x44, 0x45  # 2.04, 2.05
URI_PATH, CONTENT_FORMAT, MAX_AGE = 11, 12, 14

_VERSION = 1
_MAX_TOKEN_BYTES = 8
_MARKER = 0xFF
_MAX_OPTION = 0xFFFF


class Message(namedtuple("Message", ("type", "code", "message_id", "token", "options", "payload"))):
    """`options` is a list of (number, value) in ascending order of number."""

    type: int
    code: int
    message_id: int
    token: bytes
    options: list[tuple[int, bytes]]
    payload: bytes

    def option(self, number: int) -> bytes | None:
        """The first value of option `number`."""
        for candidate, value in self.options:
            if candidate == number:
                return value
        return None


def options_of(
    path: str, content_format: int | None = None, more: "Iterable[tuple[int, bytes]]" = ()
) -> list[tuple[int, bytes]]:
    """The options of a request for `path`, which has no slash in front; `more` in any order."""
    options = [(URI_PATH, segment.encode()) for segment in path.split("/")]
    if content_format is not None:
        options.append((CONTENT_FORMAT, uint(content_format)))
    for number, value in more:
        insert(options, number, value)
    return options


def insert(options: list[tuple[int, bytes]], number: int, value: bytes) -> None:
    """Puts an option behind those of a smaller or the same number."""
    at = len(options)
    while at and options[at - 1][0] > number:
        at -= 1
    options.insert(at, (number, value))


def uint(number: int) -> bytes:
    """An option's unsigned integer: no leading zeros, nothing for 0 (§3.2)."""
    size = 0
    while number >> 8 * size:
        size += 1
    return number.to_bytes(size, "big") if size else b""


def empty(kind: int, message_id: int) -> bytes:
    """An empty ACK or RST (§4.2, §4.3): four bytes."""
    return encode(Message(kind, EMPTY, message_id, b"", [], b""))


def code_text(code: int) -> str:
    """2.04 for 0x44."""
    return f"{code >> 5}.{code & 31:02d}"


def encode(message: Message) -> bytes:
    """The datagram. Raises TooLargeError where it would need fragments."""
    head = _VERSION << 6 | message.type << 4 | len(message.token)
    front = bytes((head, message.code, message.message_id >> 8, message.message_id & 0xFF))
    options, marker = encode_body(message.options, b""), b"\xff" if message.payload else b""
    # at once: what grows is copied, and a board has no room for a payload twice
    out = b"".join((front, message.token, options, marker, message.payload))
    if len(out) > MAX_DATAGRAM_BYTES:
        raise TooLargeError(f"a datagram of {len(out)} bytes, over {MAX_DATAGRAM_BYTES}")
    return out


def encode_body(options: list[tuple[int, bytes]], payload: bytes) -> bytes:
    """What follows the token: options in ascending order of number, marker and payload."""
    out = bytearray()
    previous = 0
    for number, value in options:
        delta, length = number - previous, len(value)
        out.append(_nibble(delta) << 4 | _nibble(length))
        _extend(out, delta)
        _extend(out, length)
        out.extend(value)
        previous = number
    if payload:
        out.append(_MARKER)
        out.extend(payload)
    return bytes(out)


def _nibble(number: int) -> int:
    """What the head of an option says of a delta or length (§3.1)."""
    return number if number < 13 else 13 if number < 269 else 14


def _extend(out: bytearray, number: int) -> None:
    """Adds the bytes that follow for a delta or length that is too large for the head."""
    if number >= 269:
        out.extend((number - 269).to_bytes(2, "big"))
    elif number >= 13:
        out.append(number - 13)


def decode(data: bytes) -> Message:
    """The message of one datagram; MalformedError for anything §3 calls a format error."""
    if len(data) < 4 or data[0] >> 6 != _VERSION:
        raise MalformedError("no CoAP message")
    kind, token_bytes = data[0] >> 4 & 3, data[0] & 15
    code, message_id = data[1], data[2] << 8 | data[3]
    if token_bytes > _MAX_TOKEN_BYTES or 4 + token_bytes > len(data):
        raise MalformedError(f"a token of {token_bytes} bytes")
    if code == EMPTY and len(data) != 4:
        raise MalformedError("an empty message with something in it")
    if code >> 5 in (1, 6, 7):
        raise MalformedError(f"reserved code {code_text(code)}")
    options, payload = decode_body(data, 4 + token_bytes)
    return Message(kind, code, message_id, bytes(data[4 : 4 + token_bytes]), options, payload)


def decode_body(data: bytes, at: int) -> tuple[list[tuple[int, bytes]], bytes]:
    """The options from `at` on, and the payload; MalformedError for a format error."""
    options: list[tuple[int, bytes]] = []
    number = 0
    while at < len(data):
        head = data[at]
        at += 1
        if head == _MARKER:
            if at == len(data):
                raise MalformedError("a payload marker and no payload")
            break
        delta, at = _join(data, at, head >> 4)
        length, at = _join(data, at, head & 15)
        number += delta
        if at + length > len(data) or number > _MAX_OPTION:
            raise MalformedError("an option that ends too late")
        options.append((number, bytes(data[at : at + length])))
        at += length
    return options, data[at:]


def _join(data: bytes, at: int, nibble: int) -> tuple[int, int]:
    """The number that `nibble` and the bytes from `at` on spell, and where they end."""
    if nibble < 13:
        return nibble, at
    if nibble == 15 or at + nibble - 12 > len(data):
        raise MalformedError("an option head that ends too early")
    if nibble == 13:
        return data[at] + 13, at + 1
    return (data[at] << 8 | data[at + 1]) + 269, at + 2
