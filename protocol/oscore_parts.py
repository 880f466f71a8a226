"""What a message under OSCORE (RFC 8613) is made of: its parts, numbers, nonce, associated data.

One suite: AES-CCM-16-64-128 with HKDF-SHA-256, no groups. The cipher is the caller's: an
object with `seal(nonce, aad, plaintext)` and `open(nonce, aad, ciphertext)`, which raises
BadMacError.
"""

from collections import namedtuple

from protocol.errors import MalformedError, TooLargeError

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
MAX_IV_BYTES = 5
# Class U only (§4.1.2, RFC 8768): Uri-Host, Uri-Port, Hop-Limit, Proxy-Uri, Proxy-Scheme
OUTER = (3, 7, 16, 35, 39)


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
    data = number.to_bytes(MAX_IV_BYTES, "big")
    start = 0
    while start < MAX_IV_BYTES - 1 and not data[start]:
        start += 1
    return data[start:]


def number_of(iv: bytes) -> int:
    """The number that a Partial IV spells; MalformedError for any but the shortest spelling."""
    if len(iv) > 1 and not iv[0]:
        raise MalformedError("a Partial IV with leading zeros")
    return int.from_bytes(iv, "big")
