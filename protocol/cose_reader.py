"""Opens a COSE_Mac0 (RFC 9052 §6.2): the mirror of `protocol.cose`, which boards do not need."""

from protocol import cbor_reader, cose
from protocol.errors import BadMacError, MalformedError
from protocol.mac import DIGEST_BYTES, HmacKey, equal


def parse(data: bytes) -> tuple[bytes, bytes, bytes]:
    """(protected, payload, tag) of a COSE_Mac0; nothing is checked but its shape."""
    parts = cbor_reader.decode(data)
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
    if not equal(cose.tag(key, protected, payload, external_aad), mac):
        raise BadMacError("the tag does not fit")
