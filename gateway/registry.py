"""Registry: which devices may speak, by key identifier. Pure: an adapter fills it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.errors import RevokedError, UnknownDeviceError
from protocol import envelope, pairing
from protocol.envelope import DOWN, UP


class Device(NamedTuple):
    """A device with its direction keys; `profile` is how its envelopes are authenticated.

    `oscore_master` derives its OSCORE master secret: few devices need one, and none is printed.
    `prefix` is what the names of its readings start with.
    """

    name: str
    kid: bytes
    profile: str
    revoked: bool
    up: bytes
    down: bytes
    oscore_master: Callable[[], bytes]
    prefix: bytes


def device_of(name: str, profile: str, secret: bytes, *, revoked: bool) -> Device:
    return Device(
        name,
        envelope.kid_of(name, profile),
        profile,
        revoked,
        envelope.direction_secret(secret, UP),
        envelope.direction_secret(secret, DOWN),
        lambda: pairing.master_secret(secret),
        name.encode() + b"/",
    )


class Registry:
    def __init__(self, devices: Iterable[Device] = ()) -> None:
        self._by_kid: dict[bytes, Device] = {}
        self._by_oscore_id: dict[bytes, Device] = {}
        self.replace(devices)

    def replace(self, devices: Iterable[Device]) -> None:
        self._by_kid = {device.kid: device for device in devices}
        self._by_oscore_id = {
            pairing.device_id(kid): device for kid, device in self._by_kid.items()
        }

    def __len__(self) -> int:
        return len(self._by_kid)

    def knows(self, kid: bytes) -> bool:
        return kid in self._by_kid

    def find(self, kid: bytes) -> Device:
        """The device that may speak under `kid`; Unknown- or RevokedError."""
        return _allowed(self._by_kid.get(kid), kid)

    def find_by_oscore_id(self, identifier: bytes) -> Device:
        """The device that may speak as this OSCORE Sender ID; Unknown- or RevokedError."""
        return _allowed(self._by_oscore_id.get(identifier), identifier)


def _allowed(device: Device | None, kid: bytes) -> Device:
    if device is None:
        raise UnknownDeviceError(f"no device with kid {kid.hex()}")
    if device.revoked:
        raise RevokedError(f"{device.name} was revoked")
    return device
