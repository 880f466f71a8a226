"""Contexts: the OSCORE context of each device, derived when it first speaks. Pure.

No more of them than devices; none of a device that was revoked. What a context remembers, its
replay window, lives as long as the process: see `OscoreDoor` for what a restart means.
"""

from gateway.coap.ccm import Ccm
from gateway.errors import GatewayError
from gateway.registry import Device, Registry
from protocol import pairing
from protocol.oscore_server import Server, Window


class Context:
    """`window` is None while nobody can say which numbers the device has used."""

    __slots__ = ("_master", "device", "server", "window")

    def __init__(self, device: Device, master: bytes) -> None:
        self.device = device
        self._master = master
        self.server = Server(pairing.gateway_keys(master, device.kid), Ccm)
        self.window: Window | None = None

    def serves(self, device: Device) -> bool:
        """Whether this is the context of `device`, too: the same secret, perhaps read again."""
        if device is not self.device and device.oscore_master() == self._master:
            self.device = device
        return device is self.device


class Contexts:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._by_id: dict[bytes, Context] = {}

    def find(self, identifier: bytes) -> Context:
        """The context of the device with this Sender ID; Unknown- or RevokedError."""
        context = self._by_id.get(identifier)
        try:
            device = self._registry.find_by_oscore_id(identifier)
        except GatewayError:
            self._by_id.pop(identifier, None)
            raise
        if context is None or not context.serves(device):
            context = self._by_id[identifier] = Context(device, device.oscore_master())
        return context

    def __len__(self) -> int:
        return len(self._by_id)
