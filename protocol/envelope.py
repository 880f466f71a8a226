"""Envelope: a COSE_Mac0 with the sender's kid, its epoch and its sequence (wire-format §4).

The same shape carries packs up and receipts down; the direction is in the key and in the
external_aad, so neither can be taken for the other. Opening them is `envelope_reader`'s.
"""

import hashlib

from protocol import cbor, cose
from protocol.errors import TooLargeError
from protocol.limits import (
    CONTENT_FORMAT_COSE_MAC0,
    CONTENT_FORMAT_COSE_SIGN1,
    MAX_ENVELOPE_BYTES,
)
from protocol.mac import HmacKey, hkdf

UP, DOWN = "up", "down"
KID_BYTES = 8
SECRET_BYTES = 32
# {1: 5, 4: kid, 15: {7: cti}}: alg HMAC 256/256, and the CWT claim "cti" (RFC 8392 §3.1.7),
# which is epoch ‖ sequence, 4 bytes each
_ALG_KID, _CTI = b"\xa3\x01\x05\x04\x48", b"\x0f\xa1\x07\x48"
_MAC_PROTECTED_BYTES = 25


def kid_of(
    name: str, profile: str = "mac", *, generation: int = 0, public_key: bytes = b""
) -> bytes:
    """The key identifier of a device: the start of the hash of its public identity.

    `generation` counts the exchanges of a secret (`mac`); `public_key` is x ‖ y, 64 bytes (`sig`).
    """
    identity: list[object] = [profile, name]
    if generation or public_key:
        identity.append(public_key or generation)
    return hashlib.sha256(cbor.encode(identity)).digest()[:KID_BYTES]


def direction_secret(secret: bytes, direction: str) -> bytes:
    """The 32 bytes of the key for one direction; `secret` is the device's 32 random bytes."""
    return hkdf(secret, b"tallystick/1/" + direction.encode())


def direction_key(secret: bytes, direction: str) -> HmacKey:
    """The key for one direction, ready to seal and check with."""
    return HmacKey(direction_secret(secret, direction))


def seal(
    key: HmacKey, direction: str, kid: bytes, *, epoch: int, sequence: int, payload: bytes
) -> bytes:
    """An envelope's bytes. Raises TooLargeError where they would not fit one datagram."""
    number = epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big")
    sealed = cose.mac0(key, protected_header(kid, number), payload, external_aad=direction.encode())
    if len(sealed) > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"an envelope of {len(sealed)} bytes, over {MAX_ENVELOPE_BYTES}")
    return sealed


def protected_header(kid: bytes, number: bytes) -> bytes:
    """The encoded header map of profile `mac`; `number` is epoch ‖ sequence, 8 bytes."""
    return b"".join((_ALG_KID, kid, _CTI, number))


def kid_in(sealed: bytes) -> bytes:
    """The kid in an envelope of our own, by position: there is one spelling."""
    return sealed[8:16]


def number_in(sealed: bytes) -> bytes:
    """The epoch ‖ sequence in an envelope of our own, 8 bytes, in either profile."""
    at = 20 if sealed[2] == _MAC_PROTECTED_BYTES else 21  # a longer cti has a longer head
    return sealed[at : at + 8]


def content_format_of(sealed: bytes) -> int:
    """What an envelope of our own is sent as (RFC 9052 §11.3.2): COSE_Mac0 or COSE_Sign1."""
    is_mac = sealed[2] == _MAC_PROTECTED_BYTES
    return CONTENT_FORMAT_COSE_MAC0 if is_mac else CONTENT_FORMAT_COSE_SIGN1


def payload_at(sealed: bytes) -> int:
    """Where the payload of an envelope of our own starts."""
    at = 4 + sealed[2]  # its head
    return at + 1 + max(sealed[at] - 0x57, 0)
