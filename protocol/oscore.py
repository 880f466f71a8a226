"""OSCORE (RFC 8613): keys, nonces, the option, the plaintext; what both sides need.

One suite: AES-CCM-16-64-128 with HKDF-SHA-256, no groups. The cipher is the caller's: an
object with `seal(nonce, aad, plaintext)` and `open(nonce, aad, ciphertext)`, which raises
BadMacError. A client goes on with `oscore_client`, a server with `oscore_server`.
"""

from collections import namedtuple

from protocol import cbor, coap
from protocol.errors import MalformedError, TooLargeError, UnsupportedError
from protocol.mac import hkdf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Aead(Protocol):
        """AES-CCM-16-64-128 under one key: nonces of 13 bytes, tags of 8."""

        def seal(self, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes: ...

        def open(self, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes: ...


OBSERVE, OSCORE = 6, 9  # option numbers
FETCH = 5  # RFC 8132
KEY_BYTES, NONCE_BYTES, TAG_BYTES = 16, 13, 8  # AES-CCM-16-64-128, RFC 9053 §4.2
MAX_ID_BYTES = NONCE_BYTES - 6  # §3.3
MAX_NUMBER = (1 << 40) - 1  # a Partial IV is at most five bytes (§7.2.1)
_AES_CCM_16_64_128 = 10
_HAS_CONTEXT, _HAS_KID, _IV_BYTES, _RESERVED = 0x10, 0x08, 0x07, 0xE0  # flag bits, §6.1
_MAX_IV_BYTES = 5
# Class U only (§4.1.2, RFC 8768): Uri-Host, Uri-Port, Hop-Limit, Proxy-Uri, Proxy-Scheme
_OUTER = (3, 7, 16, 35, 39)


class Keys(namedtuple("Keys", ("sender_id", "recipient_id", "sender", "recipient", "common_iv"))):
    """One endpoint's view of a context. Never printed: `sender` and `recipient` are keys."""

    sender_id: bytes
    recipient_id: bytes
    sender: bytes
    recipient: bytes
    common_iv: bytes

    def __repr__(self) -> str:
        return "Keys(…)"


class Header(namedtuple("Header", ("partial_iv", "kid", "kid_context"))):
    """What the OSCORE option says; None for what it does not."""

    partial_iv: bytes | None
    kid: bytes | None
    kid_context: bytes | None


class Plain(namedtuple("Plain", ("code", "options", "payload"))):
    """The message that was protected: all of it but the token and what lies below."""

    code: int
    options: list[tuple[int, bytes]]
    payload: bytes


class Sealed(namedtuple("Sealed", ("code", "options", "payload"))):
    """The message as it goes out, with the OSCORE option."""

    code: int
    options: list[tuple[int, bytes]]
    payload: bytes


class Asked(namedtuple("Asked", ("code", "number", "kid", "partial_iv", "observes"))):
    """The request an answer belongs to; `code` is the outer one, `observes`: it registers."""

    code: int
    number: int
    kid: bytes
    partial_iv: bytes
    observes: bool


def derive(
    master_secret: bytes,
    *,
    sender_id: bytes,
    recipient_id: bytes,
    salt: bytes = b"",
    id_context: bytes | None = None,
) -> Keys:
    """The keys of §3.2.1. TooLargeError for an identifier of more than 7 bytes."""
    if max(len(sender_id), len(recipient_id)) > MAX_ID_BYTES:
        raise TooLargeError(f"an OSCORE identifier over {MAX_ID_BYTES} bytes")

    def expanded(identifier: bytes, what: str, size: int) -> bytes:
        info = cbor.encode([identifier, id_context, _AES_CCM_16_64_128, what, size])
        return hkdf(master_secret, info, size, salt)

    return Keys(
        sender_id,
        recipient_id,
        expanded(sender_id, "Key", KEY_BYTES),
        expanded(recipient_id, "Key", KEY_BYTES),
        expanded(b"", "IV", NONCE_BYTES),
    )


def nonce_base(common_iv: bytes, identifier: bytes) -> int:
    """A number's nonce is this XOR the number (§5.2), big endian in 13 bytes."""
    padded = bytes((len(identifier),)) + bytes(MAX_ID_BYTES - len(identifier)) + identifier
    return int.from_bytes(common_iv, "big") ^ int.from_bytes(padded + bytes(5), "big")


def nonce(base: int, number: int) -> bytes:
    return (base ^ number).to_bytes(NONCE_BYTES, "big")


def aad(kid: bytes, partial_iv: bytes) -> bytes:
    """The Enc_structure of §5.4 for the request with this kid and Partial IV.

    [1, [10], kid, Partial IV, h''] inside ["Encrypt0", h'', bstr]: nothing in it is longer
    than 23 bytes, so every head is one byte.
    """
    external = b"\x85\x01\x81\x0a" + _short(kid) + _short(partial_iv) + b"\x40"
    return b"\x83\x68Encrypt0\x40" + _short(external)


def _short(data: bytes) -> bytes:
    return bytes((0x40 | len(data),)) + data


def partial_iv(number: int) -> bytes:
    """The shortest spelling (§5); TooLargeError where the context is used up."""
    if number > MAX_NUMBER:
        raise TooLargeError("an OSCORE context has 2**40 numbers, and they are used up")
    data = number.to_bytes(_MAX_IV_BYTES, "big")
    start = 0
    while start < _MAX_IV_BYTES - 1 and not data[start]:
        start += 1
    return data[start:]


def number_of(iv: bytes) -> int:
    """The number that a Partial IV spells; MalformedError for any but the shortest spelling."""
    if len(iv) > 1 and not iv[0]:
        raise MalformedError("a Partial IV with leading zeros")
    return int.from_bytes(iv, "big")


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
    if not flags or size > _MAX_IV_BYTES:
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
    inner = [option for option in options if option[0] not in _OUTER]
    return inner, [option for option in options if option[0] in _OUTER]


def merged(
    options: list[tuple[int, bytes]], more: list[tuple[int, bytes]]
) -> list[tuple[int, bytes]]:
    """Both in ascending order of number. Not `sorted`, which a path's segments do not survive."""
    result = list(options)
    for option in more:
        at = len(result)
        while at and result[at - 1][0] > option[0]:
            at -= 1
        result.insert(at, option)
    return result


def outside(options: list[tuple[int, bytes]], header: Header) -> list[tuple[int, bytes]]:
    """Outer options and the OSCORE option."""
    return merged(options, [(OSCORE, encode_option(header))])
