"""Sealing an envelope with a signature: COSE_Sign1, untagged (RFC 9052 §4.2, wire-format §4.2).

A board's half: it writes the one layout that there is. `protocol.sign1_reader` reads it. Of the
curve it knows the order: whoever calls brings what signs a digest.
"""

import hashlib

from protocol.errors import TooLargeError
from protocol.limits import MAX_ENVELOPE_BYTES
from protocol.p256 import N

BEFORE_BYTES = 16
SIGNATURE_BYTES = 64
LARGEST_S = (N // 2).to_bytes(32, "big")
# [protected, {}, payload, signature], where protected is {1: ESP256, 4: kid, 15: {7: cti}}
FRONT = b"\x84\x58\x2a"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def seal(
    sign: "Callable[[bytes], bytes]",
    kid: bytes,
    *,
    epoch: int,
    sequence: int,
    before: bytes,
    payload: bytes,
) -> bytes:
    """An envelope's bytes; `sign` makes the 64 bytes r ‖ s for a SHA-256 digest.

    `before` is `link` of the envelope sealed before this one. Raises TooLargeError, with nothing
    signed, where it would not fit one datagram.
    """
    cti = epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big") + before
    protected = b"\xa3\x01\x28\x04\x48" + kid + b"\x0f\xa1\x07\x58\x18" + cti
    parts = [FRONT, protected, b"\xa0", bytes_head(len(payload)), payload, b"\x58\x40"]
    size = sum([len(part) for part in parts]) + SIGNATURE_BYTES
    if size > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"an envelope of {size} bytes, over {MAX_ENVELOPE_BYTES}")
    parts.append(lower(sign(digest(protected, payload, b"up"))))
    return b"".join(parts)


def lower(signature: bytes) -> bytes:
    """The one spelling of a signature: anyone can write n - s for s, and both hold."""
    if signature[32:] <= LARGEST_S:
        return signature
    s: int = N - int.from_bytes(signature[32:], "big")
    return signature[:32] + s.to_bytes(32, "big")


def digest(protected: bytes, payload: bytes, external_aad: bytes) -> bytes:
    """SHA-256 of the Sig_structure (RFC 9052 §4.4), which is never put together in memory."""
    structure = hashlib.sha256(b"\x84\x6aSignature1")
    for part in (protected, external_aad, payload):
        structure.update(bytes_head(len(part)))
        structure.update(part)
    return structure.digest()


def link(sealed: bytes) -> bytes:
    """What the next envelope says of this one: the start of the hash of all its bytes."""
    return hashlib.sha256(sealed).digest()[:BEFORE_BYTES]


def bytes_head(size: int) -> bytes:
    """The head of a CBOR byte string below 64 KiB (RFC 8949 §3)."""
    if size < 24:
        return bytes((0x40 | size,))
    return bytes((0x58, size)) if size < 256 else bytes((0x59, size >> 8, size & 255))
