"""Packer: seals readings into envelopes and puts them in the outbox. Owns the sequence."""

from protocol import senml
from protocol.errors import FaultError, TooLargeError
from protocol.limits import MAX_PACK_RECORDS
from protocol.senml import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.clock import Clock
    from device.outbox import Outbox
    from device.shapes import Sealing


class Packer:
    """`sequence` is the next envelope's; `unsealed` counts packs that never got into the outbox."""

    def __init__(
        self,
        identity: "Sealing",
        outbox: "Outbox",
        clock: "Clock",
        on_sealed: "Callable[[], None]",
    ) -> None:
        self.sequence = 0
        self.unsealed = 0
        self._identity = identity
        self._outbox = outbox
        self._clock = clock
        self._on_sealed = on_sealed

    def seal(self, gathered: list[Reading]) -> bool:
        """Whether all of it is in the outbox. Times are in uptime; what is too much for one
        datagram goes in halves.
        """
        try:
            sealed = self.sealed(gathered)
        except TooLargeError:
            half = len(gathered) // 2
            if not half:
                self.unsealed += 1
                return False
            first = self.seal(gathered[:half])
            return self.seal(gathered[half:]) and first
        except FaultError:
            self.unsealed += 1
            return False
        self._outbox.put(sealed, self._clock.uptime_ms())
        self._on_sealed()
        return True

    def sealed(self, gathered: list[Reading]) -> bytes:
        """The envelope; its number is used up. TooLarge- or FaultError where there is none."""
        if len(gathered) > MAX_PACK_RECORDS:
            raise TooLargeError("too many records")
        sealed = self._identity.seal(self.sequence, self._pack(gathered))
        self.sequence += 1
        return sealed

    def _pack(self, gathered: list[Reading]) -> bytes:
        """Apart from sealing, which needs the memory that this takes."""
        timed = [
            Reading(one.name, one.unit, one.value, self._clock.time_ms(one.time_ms))
            for one in gathered
        ]
        return senml.encode_pack(self._identity.name + "/", timed)
