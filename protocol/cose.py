"""COSE_Mac0 with HMAC 256/256 (RFC 9052 §6.2, RFC 9053 §3.1), untagged.

The unprotected header is always empty: what is not protected is not said.
"""

from protocol import cbor
from protocol.errors import BadMacError, MalformedError
from protocol.mac import DIGEST_BYTES, HmacKey, equal

HMAC_256 = 5
ALG, KID, CWT_CLAIMS = 1, 4, 15  # header parameters (RFC 9052 §3.1, RFC 9597)


def mac0(key: HmacKey, protected: bytes, payload: bytes, *, external_aad: bytes) -> bytes:
    """The COSE_Mac0 of `payload` under the encoded header map `protected`."""
    return cbor.encode([protected, {}, payload, tag(key, protected, payload, external_aad)])


def parse(data: bytes) -> tuple[bytes, bytes, bytes]:
    """(protected, payload, tag) of a COSE_Mac0; nothing is checked but its shape."""
    parts = cbor.decode(data)
    if not isinstance(parts, list) or len(parts) != 4 or parts[1] != {}:
        raise MalformedError("a COSE_Mac0 is [protected, {}, payload, tag]")
    protected, _, payload, mac = parts
    for part in (protected, payload, mac):
        if not isinstance(part, bytes):
            raise MalformedError("a COSE_Mac0 holds byte strings")
    if len(mac) != DIGEST_BYTES:
        raise MalformedError(f"a tag of {len(mac)} bytes, not {DIGEST_BYTES}")
    return protected, payload, mac


def check(
    key: HmacKey, protected: bytes, payload: bytes, mac: bytes, *, external_aad: bytes
) -> None:
    """Raises BadMacError unless `mac` is the tag of these bytes."""
    if not equal(tag(key, protected, payload, external_aad), mac):
        raise BadMacError("the tag does not fit")


def tag(key: HmacKey, protected: bytes, payload: bytes, external_aad: bytes) -> bytes:
    """The tag over MAC_structure (RFC 9052 §6.3)."""
    return key.tag(mac_structure(protected, payload, external_aad))


def mac_structure(protected: bytes, payload: bytes, external_aad: bytes) -> bytes:
    return cbor.encode(["MAC0", protected, external_aad, payload])
