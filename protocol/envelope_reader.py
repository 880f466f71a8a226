"""Opens envelopes (wire-format §4): the mirror of `protocol.envelope`, which boards do not need."""

from collections import namedtuple

from protocol import cbor_reader, cose, cose_reader
from protocol.envelope import KID_BYTES
from protocol.errors import MalformedError, TooLargeError, UnsupportedError
from protocol.limits import MAX_ENVELOPE_BYTES
from protocol.mac import HmacKey

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


def parse(data: bytes) -> Envelope:
    """The parts of an envelope, unverified. Raises Malformed-, Unsupported- or TooLargeError."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"an envelope of {len(data)} bytes, over {MAX_ENVELOPE_BYTES}")
    protected, payload, mac = cose_reader.parse(data)
    header = cbor_reader.decode(protected)
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
    cose_reader.check(
        key,
        envelope.protected,
        envelope.payload,
        envelope.tag,
        external_aad=direction.encode(),
    )
