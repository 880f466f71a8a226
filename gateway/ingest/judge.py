"""Judge: is this envelope one we keep? Decides; does no I/O and writes nothing.

Not here: whether its number was seen before, which only the writer can know; and whether a
signature holds, which costs more than all else here: what is to be checked is handed out.
"""

from typing import NamedTuple

from gateway.errors import UnsupportedFormatError, WrongNameError
from gateway.ingest import form, packs
from gateway.ingest.form import Parts
from gateway.registry import Device, Registry
from protocol import envelope_reader, resolve, sign1_reader
from protocol.enrolment import SIG
from protocol.errors import BadMacError, BadSignatureError
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, CONTENT_FORMAT_COSE_SIGN1


class Claim(NamedTuple):
    """A signature, r ‖ s, by `public_key`, x ‖ y, over a SHA-256 digest: nobody has checked it."""

    public_key: bytes
    signature: bytes
    digest: bytes


class Accepted(NamedTuple):
    """Kept if `claim`, where there is one, holds."""

    device: Device
    parts: Parts
    claim: Claim | None


def judge(
    data: bytes, registry: Registry, content_format: int = CONTENT_FORMAT_COSE_MAC0
) -> Accepted:
    """What `data` says, checked; or a ProtocolError or GatewayError with its reason.

    The order is the point: size and shape, then who, then the tag, and only then the
    contents, so nothing is told or spent on what is not authenticated. A signature costs more
    than the contents do, so it comes after them; nothing is told of them before it.
    """
    if content_format == CONTENT_FORMAT_COSE_SIGN1:
        return _judge_signed(data, registry)
    parts = form.split(data) or _refused(data)
    device = registry.find(parts.kid)
    if not device.up or not form.is_sealed(parts, device.up):
        raise BadMacError("the tag does not fit")
    _check_names(parts, device)
    return Accepted(device, parts, None)


def _judge_signed(data: bytes, registry: Registry) -> Accepted:
    parts = form.split_signed(data) or _refused_signed(data)
    device = registry.find(parts.kid)
    if device.profile != SIG:
        raise BadSignatureError(f"{device.name} does not sign")
    _check_names(parts, device)
    claim = Claim(device.public_key, form.signature(parts), form.signed_digest(parts))
    return Accepted(device, parts, claim)


def _refused(data: bytes) -> Parts:
    """Says why; what has another form than the one there is, has no valid one."""
    if form.split_signed(data):
        raise UnsupportedFormatError("an envelope with a signature has Content-Format 18")
    envelope_reader.parse(data)
    raise AssertionError("an envelope that one side reads and the other does not")


def _refused_signed(data: bytes) -> Parts:
    if form.split(data):
        raise UnsupportedFormatError("an envelope with a tag has Content-Format 17")
    sign1_reader.parse(data)
    raise AssertionError("an envelope that one side reads and the other does not")


def _check_names(parts: Parts, device: Device) -> None:
    payload = parts.payload
    if packs.is_usual(payload, device.prefix):
        return
    prefix = device.name + "/"
    for reading in resolve.decode_pack(payload):
        if not reading.name.startswith(prefix):
            raise WrongNameError(f"{reading.name!r} does not start with {prefix!r}")
