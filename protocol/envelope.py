"""Envelope: a COSE_Mac0 with the sender's kid, its epoch and its sequence (wire-format §4).

The same shape carries packs up and receipts down; the direction is in the key and in the
external_aad, so neither can be taken for the other.
"""

import hashlib
from collections import namedtuple

from protocol import cbor, cose
from protocol.errors import MalformedError, TooLargeError, UnsupportedError
from protocol.limits import MAX_ENVELOPE_BYTES
from protocol.mac import HmacKey, hkdf

UP, DOWN = "up", "down"
KID_BYTES = 8
SECRET_BYTES = 32
_CTI = 7  # CWT claim "cti" (RFC 8392 §3.1.7): epoch ‖ sequence, 4 bytes each
_CTI_BYTES = 8


class Envelope(namedtuple("Envelope", ("kid", "epoch", "sequence", "payload", "protected", "tag"))):
    """A parsed envelope. Believe nothing of it before `check`."""

    kid: bytes
    epoch: int
    sequence: int
    payload: bytes
    protected: bytes
    tag: bytes


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
    cti = epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big")
    protected = cbor.encode({cose.ALG: cose.HMAC_256, cose.KID: kid, cose.CWT_CLAIMS: {_CTI: cti}})
    sealed = cose.mac0(key, protected, payload, external_aad=direction.encode())
    if len(sealed) > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"an envelope of {len(sealed)} bytes, over {MAX_ENVELOPE_BYTES}")
    return sealed


def parse(data: bytes) -> Envelope:
    """The parts of an envelope, unverified. Raises Malformed-, Unsupported- or TooLargeError."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"an envelope of {len(data)} bytes, over {MAX_ENVELOPE_BYTES}")
    protected, payload, mac = cose.parse(data)
    header = cbor.decode(protected)
    if not isinstance(header, dict) or cose.ALG not in header:
        raise MalformedError("a protected header is a map with an algorithm")
    if header[cose.ALG] != cose.HMAC_256:
        raise UnsupportedError(f"algorithm {header[cose.ALG]!r}")
    if len(header) != 3:
        raise MalformedError("a protected header holds alg, kid and cti, nothing else")
    kid, claims = header.get(cose.KID), header.get(cose.CWT_CLAIMS)
    if not isinstance(kid, bytes) or len(kid) != KID_BYTES:
        raise MalformedError(f"a kid is {KID_BYTES} bytes")
    if not isinstance(claims, dict) or len(claims) != 1:
        raise MalformedError("the claims hold the cti, nothing else")
    cti = claims.get(_CTI)
    if not isinstance(cti, bytes) or len(cti) != _CTI_BYTES:
        raise MalformedError(f"a cti is {_CTI_BYTES} bytes")
    epoch, sequence = int.from_bytes(cti[:4], "big"), int.from_bytes(cti[4:], "big")
    return Envelope(kid, epoch, sequence, payload, protected, mac)


def check(envelope: Envelope, key: HmacKey, direction: str) -> None:
    """Raises BadMacError unless `key` sealed it for `direction`."""
    cose.check(
        key,
        envelope.protected,
        envelope.payload,
        envelope.tag,
        external_aad=direction.encode(),
    )
