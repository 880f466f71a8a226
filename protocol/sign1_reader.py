"""Reads an envelope with a signature, strictly: the mirror of `protocol.sign1`.

Deterministic CBOR leaves one layout (wire-format §4.2), so every part stands at its place.
Checks no signature: whoever has a library for that holds `digest` to `signature`.
"""

from collections import namedtuple

from protocol import sign1
from protocol.errors import MalformedError, TooLargeError, UnsupportedError
from protocol.limits import MAX_ENVELOPE_BYTES
from protocol.p256 import N

LARGEST_S = (N // 2).to_bytes(32, "big")
UNKNOWN_BEFORE = bytes(sign1.BEFORE_BYTES)
# -9, ESP256 (RFC 9864 §2.1), and -7, ES256 (RFC 9053 §2.1), the older name of the same
_ALGORITHMS = (b"\x28", b"\x26")
# where each part starts, and what stands between them
_PROTECTED, _ALG, _KID, _CTI, _BEFORE, _UNPROTECTED, _PAYLOAD = 3, 5, 8, 21, 29, 45, 46
_FIXED = (
    (0, sign1.FRONT + b"\xa3\x01"),
    (6, b"\x04\x48"),
    (16, b"\x0f\xa1\x07\x58\x18"),
    (_UNPROTECTED, b"\xa0"),
)
_SIGNATURE, _SIGNATURE_BYTES = b"\x58\x40", sign1.SIGNATURE_BYTES


class Signed(
    namedtuple(
        "Signed", ("kid", "epoch", "sequence", "before", "payload", "protected", "signature")
    )
):
    """A parsed envelope of the profile `sig`. Believe nothing of it before its signature holds.

    `before` is UNKNOWN_BEFORE where the device knew of none; `signature` is r ‖ s.
    """

    kid: bytes
    epoch: int
    sequence: int
    before: bytes
    payload: bytes
    protected: bytes
    signature: bytes


def parse(data: bytes) -> Signed:
    """The parts of an envelope, unverified. Raises Malformed-, Unsupported- or TooLargeError."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"an envelope of {len(data)} bytes, over {MAX_ENVELOPE_BYTES}")
    for at, part in _FIXED:
        if data[at : at + len(part)] != part:
            raise MalformedError(f"not the layout of a signed envelope, at byte {at}")
    if data[_ALG:6] not in _ALGORITHMS:
        raise UnsupportedError(f"algorithm {data[_ALG:6].hex()}")
    protected, cti = data[_PROTECTED:_UNPROTECTED], data[_CTI:_UNPROTECTED]
    epoch, sequence = int.from_bytes(cti[:4], "big"), int.from_bytes(cti[4:8], "big")
    payload, signature = _payload(data), data[-_SIGNATURE_BYTES:]
    if signature[32:] > LARGEST_S:
        raise MalformedError("not the lower of the two signatures that hold")
    before = data[_BEFORE:_UNPROTECTED]
    return Signed(data[_KID:16], epoch, sequence, before, payload, protected, signature)


def _payload(data: bytes) -> bytes:
    """The payload of what has the right front; MalformedError for another end."""
    end = len(data) - _SIGNATURE_BYTES - len(_SIGNATURE)
    if data[end:-_SIGNATURE_BYTES] == _SIGNATURE:
        for at in range(_PAYLOAD + 1, _PAYLOAD + 4):
            # of the three lengths of a head, one can be right
            if at <= end and data[_PAYLOAD:at] == sign1.bytes_head(end - at):
                return data[at:end]
    raise MalformedError("not the layout of a signed envelope, at its payload or signature")


def digest(envelope: Signed) -> bytes:
    """The SHA-256 that its signature, ECDSA over P-256, is over."""
    return sign1.digest(envelope.protected, envelope.payload, b"up")
