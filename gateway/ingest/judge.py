"""Judge: is this envelope one we keep? Decides; does no I/O and writes nothing.

Not here: whether its number was seen before. Only the writer can know that.
"""

from typing import NamedTuple

from gateway.errors import WrongNameError
from gateway.ingest import form, packs
from gateway.ingest.form import Parts
from gateway.registry import Device, Registry
from protocol import envelope_reader, resolve
from protocol.errors import BadMacError


class Accepted(NamedTuple):
    device: Device
    parts: Parts


def judge(data: bytes, registry: Registry) -> Accepted:
    """What `data` says, checked; or a ProtocolError or GatewayError with its reason.

    The order is the point: size and shape, then who, then the tag, and only then the
    contents, so nothing is told or spent on what is not authenticated.
    """
    parts = form.split(data) or _refused(data)
    device = registry.find(parts.kid)
    if not form.is_sealed(parts, device.up):
        raise BadMacError("the tag does not fit")
    payload = parts.payload
    if not packs.is_usual(payload, device.prefix):
        _check_names(payload, device.name + "/")
    return Accepted(device, parts)


def _refused(data: bytes) -> Parts:
    """Says why; what has another form than the one there is, has no valid one."""
    envelope_reader.parse(data)
    raise AssertionError("an envelope that one side reads and the other does not")


def _check_names(payload: bytes, prefix: str) -> None:
    for reading in resolve.decode_pack(payload):
        if not reading.name.startswith(prefix):
            raise WrongNameError(f"{reading.name!r} does not start with {prefix!r}")
