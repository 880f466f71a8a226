"""Sealing an envelope with a signature: COSE_Sign1, untagged (RFC 9052 §4.2, wire-format §4.2).

A board's half: it writes the one layout that there is. `protocol.sign1_reader` reads it. Knows no
curve: whoever calls brings what signs a digest.
"""

import hashlib

from protocol.errors import TooLargeError
from protocol.limits import MAX_ENVELOPE_BYTES

BEFORE_BYTES = 16
SIGNATURE_BYTES = 64
# [protected, {}, payload, signature], where protected is {1: ESP256, 4: kid, 15: {7: cti}}
FRONT = b"\x84\x58\x2a"
_AROUND_PAYLOAD_BYTES = 3 + 42 + 1 + 2 + SIGNATURE_BYTES

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
    """An envelope's bytes; `sign` makes the 64 bytes r ‖ s for a SHA-256 digest, with the lower s.

    `before` is `link` of the envelope sealed before this one. Raises TooLargeError, with nothing
    signed, where it would not fit one datagram.
    """
    head = bytes_head(len(payload))
    size = _AROUND_PAYLOAD_BYTES + len(head) + len(payload)
    if size > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"an envelope of {size} bytes, over {MAX_ENVELOPE_BYTES}")
    # joined at once: a sum of bytes is copied with each
    protected = b"".join(
        (
            b"\xa3\x01\x28\x04\x48",
            kid,
            b"\x0f\xa1\x07\x58\x18",
            epoch.to_bytes(4, "big"),
            sequence.to_bytes(4, "big"),
            before,
        )
    )
    signature = sign(digest(protected, payload, b"up"))
    return b"".join((FRONT, protected, b"\xa0", head, payload, b"\x58\x40", signature))


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
        return (0x40 | size).to_bytes(1, "big")
    return (
        (0x5800 | size).to_bytes(2, "big") if size < 256 else (0x590000 | size).to_bytes(3, "big")
    )
