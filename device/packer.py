"""Packer: seals readings into envelopes and puts them in the outbox. Owns the sequence.

Each pack until the first one with Unix times, and that one, says the uptime it was sealed at:
so whoever has that one can place those before it (wire-format §3.2). The first pack of an epoch
says what started the board, and the last envelope known of the epochs before.
"""

from protocol import senml
from protocol.cbor import decimal
from protocol.errors import FaultError, TooLargeError
from protocol.limits import MAX_PACK_RECORDS
from protocol.senml import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.clock import Clock
    from device.outbox import Outbox
    from device.shapes import Sealer

_OWN_RECORDS = 3  # that a pack may have besides what was gathered


class Packer:
    """`sequence` is the next envelope's; `unsealed` counts packs that never got into the outbox.

    `started` is what the first pack says of this start. `is_placed`: a pack of this epoch has Unix
    times.
    """

    def __init__(
        self,
        identity: "Sealer",
        outbox: "Outbox",
        clock: "Clock",
        on_sealed: "Callable[[], None]",
    ) -> None:
        self.sequence = 0
        self.unsealed = 0
        self.started = "unknown"
        self.is_placed = False
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
        if len(gathered) > MAX_PACK_RECORDS - _OWN_RECORDS:
            raise TooLargeError("too many records")
        sealed = self._identity.seal(self.sequence, self._pack(gathered))
        self.sequence += 1
        self.is_placed = self._clock.is_set
        return sealed

    def _pack(self, gathered: list[Reading]) -> bytes:
        """Apart from sealing, which needs the memory that this takes."""
        clock, base = self._clock, self._identity.name + "/"
        now_ms = clock.uptime_ms()  # once, for all times are relative to this moment
        start_ms = clock.time_ms(now_ms) - now_ms if clock.is_set else -now_ms
        own = []
        if not self.sequence:
            own.append(Reading(base + "started", "", self.started, now_ms))
            own.append(Reading(base + "ended", "", self._ended(), now_ms))
        if not self.is_placed:
            own.append(Reading(base + "uptime", "s", decimal(now_ms, -3), now_ms))
        return senml.encode_pack(base, gathered + own if own else gathered, start_ms)

    def _ended(self) -> str:
        """Epoch and sequence of the last envelope that the flash or the gateway has."""
        number = self._outbox.ended[:8]
        if not number:
            return "unknown"
        epoch, sequence = int.from_bytes(number[:4], "big"), int.from_bytes(number[4:], "big")
        return f"{epoch} {sequence}"
