"""OSCORE (RFC 8613): the option and the plaintext, read and written; what a server needs.

A client, which a board has to hold, writes and reads less: see `oscore_client`.
"""

from collections import namedtuple

from protocol import coap
from protocol.errors import MalformedError, UnsupportedError
from protocol.oscore_parts import MAX_IV_BYTES, OSCORE, OUTER, Plain

_HAS_CONTEXT, _HAS_KID, _IV_BYTES, _RESERVED = 0x10, 0x08, 0x07, 0xE0  # flag bits, §6.1


class Header(namedtuple("Header", ("partial_iv", "kid", "kid_context"))):
    """What the OSCORE option says; None for what it does not."""

    partial_iv: bytes | None
    kid: bytes | None
    kid_context: bytes | None


def encode_option(header: Header) -> bytes:
    """The value of the OSCORE option (§6.1); empty where there is nothing to say."""
    flags = len(header.partial_iv or b"")
    out = header.partial_iv or b""
    if header.kid_context is not None:
        flags |= _HAS_CONTEXT
        out += bytes((len(header.kid_context),)) + header.kid_context
    if header.kid is not None:
        flags |= _HAS_KID
        out += header.kid
    return bytes((flags,)) + out if flags else b""


def decode_option(value: bytes) -> Header:
    """What the OSCORE option says. MalformedError for any other than `encode_option`'s.

    UnsupportedError for flags that are reserved: groups, and what is still to come.
    """
    if not value:
        return Header(None, None, None)
    flags, at = value[0], 1
    if flags & _RESERVED:
        raise UnsupportedError(f"OSCORE flags {flags:#04x}")
    size = flags & _IV_BYTES
    if not flags or size > MAX_IV_BYTES:
        raise MalformedError("an OSCORE option that is not in its one spelling")
    iv, at = _taken(value, at, size)
    context = None
    if flags & _HAS_CONTEXT:
        length, at = _taken(value, at, 1)
        context, at = _taken(value, at, length[0])
    rest = value[at:]
    if rest and not flags & _HAS_KID:
        raise MalformedError("bytes after an OSCORE option")
    return Header(iv if size else None, rest if flags & _HAS_KID else None, context)


def _taken(value: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(value):
        raise MalformedError("an OSCORE option that ends too early")
    return value[at : at + size], at + size


def encode_plaintext(plain: Plain) -> bytes:
    """Code, options and payload (§5.3)."""
    return bytes((plain.code,)) + coap.encode_body(plain.options, plain.payload)


def decode_plaintext(data: bytes) -> Plain:
    """MalformedError for a format error, and for another OSCORE option inside."""
    if not data:
        raise MalformedError("a protected message without a code")
    options, payload = coap.decode_body(data, 1)
    for number, _ in options:
        if number == OSCORE:
            raise MalformedError("OSCORE inside OSCORE")
    return Plain(data[0], options, payload)


def split(
    options: list[tuple[int, bytes]],
) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """(inner, outer) of the options of a message that is to be protected (§4.1)."""
    inner = [option for option in options if option[0] not in OUTER]
    return inner, [option for option in options if option[0] in OUTER]


def merged(
    options: list[tuple[int, bytes]], more: list[tuple[int, bytes]]
) -> list[tuple[int, bytes]]:
    """Both in ascending order of number. Not `sorted`, which a path's segments do not survive."""
    result = list(options)
    for number, value in more:
        coap.insert(result, number, value)
    return result


def outside(options: list[tuple[int, bytes]], header: Header) -> list[tuple[int, bytes]]:
    """Outer options and the OSCORE option."""
    return merged(options, [(OSCORE, encode_option(header))])
