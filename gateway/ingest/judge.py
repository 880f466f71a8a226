"""Ingest: is this envelope one we keep? Decides; does no I/O and writes nothing.

Not here: whether its number was seen before. Only the writer can know that.
"""

from typing import NamedTuple

from gateway.errors import WrongNameError
from gateway.ledger.batch import PACK
from gateway.ledger.log import Draft
from gateway.registry import Device, Registry
from protocol import envelope, resolve
from protocol.envelope import UP, Envelope
from protocol.senml import Reading


class Accepted(NamedTuple):
    device: Device
    envelope: Envelope
    readings: list[Reading]
    draft: Draft


def judge(data: bytes, registry: Registry) -> Accepted:
    """What `data` says, checked; or a ProtocolError or GatewayError with its reason.

    The order is the point: size and shape, then who, then the tag, and only then the
    contents, so nothing is told or spent on what is not authenticated.
    """
    sealed = envelope.parse(data)
    device = registry.find(sealed.kid)
    envelope.check(sealed, device.up, UP)
    readings = resolve.decode_pack(sealed.payload)
    prefix = device.name + "/"
    for reading in readings:
        if not reading.name.startswith(prefix):
            raise WrongNameError(f"{reading.name!r} does not start with {prefix!r}")
    return Accepted(device, sealed, readings, Draft(PACK, device.name, data))
