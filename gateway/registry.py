"""Registry: which devices may speak, by key identifier. Pure: an adapter fills it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.errors import RevokedError, UnknownDeviceError
from gateway.store.identities import ACTIVE, RETIRING, StoredDevice
from protocol import envelope, pairing
from protocol.enrolment import MAC
from protocol.envelope import DOWN, UP


class Device(NamedTuple):
    """One key of a device; `profile` is how the envelopes under it are authenticated.

    `up` checks tags and is empty in the profile `sig`, `public_key` checks signatures and is
    empty in `mac`: nothing of one profile holds in the other. `oscore_master` derives the OSCORE
    master secret: few devices need one, and none is printed. `prefix` is what the names of its
    readings start with. `succeeds`: its first envelope that is kept ends the key before it.
    """

    name: str
    kid: bytes
    profile: str
    revoked: bool
    up: bytes
    down: bytes
    oscore_master: Callable[[], bytes]
    prefix: bytes
    public_key: bytes
    succeeds: bool


def device_of(stored: StoredDevice, *, succeeds: bool = False) -> Device:
    secret = stored.secret
    return Device(
        stored.name,
        stored.kid,
        stored.profile,
        stored.revoked,
        envelope.direction_secret(secret, UP) if stored.profile == MAC else b"",
        envelope.direction_secret(secret, DOWN),
        lambda: pairing.master_secret(secret),
        stored.name.encode() + b"/",
        stored.public_key,
        succeeds,
    )


def devices_of(stored: Iterable[StoredDevice]) -> list[Device]:
    """All of them; which one succeeds another, their states say."""
    known = list(stored)
    retiring = {one.name for one in known if one.state == RETIRING}
    return [device_of(one, succeeds=one.state == ACTIVE and one.name in retiring) for one in known]


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

    def succeed(self, name: str) -> None:
        """The active key of `name` was used: the one before it, if any, may not speak any more."""
        if any(one.succeeds for one in self._by_kid.values() if one.name == name):
            self._end(name, lambda device: not device.succeeds)

    def revoke(self, name: str) -> None:
        """No key of `name` may speak any more."""
        self._end(name, lambda device: True)

    def _end(self, name: str, ends: Callable[[Device], bool]) -> None:
        self.replace(
            [
                one._replace(revoked=one.revoked or ends(one), succeeds=False)
                if one.name == name
                else one
                for one in self._by_kid.values()
            ]
        )

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
