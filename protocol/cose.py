"""COSE_Mac0 with HMAC 256/256 (RFC 9052 §6.2, RFC 9053 §3.1), untagged.

The unprotected header is always empty: what is not protected is not said.
"""

from protocol import cbor
from protocol.mac import HmacKey

HMAC_256 = 5
ALG, KID, CWT_CLAIMS = 1, 4, 15  # header parameters (RFC 9052 §3.1, RFC 9597)


def mac0(key: HmacKey, protected: bytes, payload: bytes, *, external_aad: bytes) -> bytes:
    """The COSE_Mac0 of `payload` under the encoded header map `protected`."""
    front = bytearray(b"\x84")
    cbor.write(front, protected)
    front.append(0xA0)
    cbor.head(front, cbor.BYTES, len(payload))
    # at once: what grows is copied, and a board has no room for a pack twice
    return b"".join(
        (bytes(front), payload, b"\x58\x20", tag(key, protected, payload, external_aad))
    )


def tag(key: HmacKey, protected: bytes, payload: bytes, external_aad: bytes) -> bytes:
    """The tag over MAC_structure (RFC 9052 §6.3)."""
    return key.tag(mac_front(protected, len(payload), external_aad), payload)


def mac_front(protected: bytes, payload_bytes: int, external_aad: bytes) -> bytes:
    """MAC_structure, ["MAC0", protected, external_aad, payload], but for the payload's bytes."""
    out = bytearray(b"\x84\x64MAC0")
    cbor.write(out, protected)
    cbor.write(out, external_aad)
    cbor.head(out, cbor.BYTES, payload_bytes)
    return bytes(out)
