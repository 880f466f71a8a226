"""Packer: seals readings into envelopes and puts them in the outbox. Owns the sequence."""

from protocol import envelope, senml
from protocol.errors import TooLargeError
from protocol.limits import MAX_PACK_RECORDS
from protocol.senml import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.clock import Clock
    from device.identity import Identity
    from device.outbox import Outbox


class Packer:
    """`sequence` is the next envelope's; `unsealed` counts packs that never got into the outbox."""

    def __init__(
        self,
        identity: "Identity",
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
            sealed = self._sealed(gathered)
        except TooLargeError:
            half = len(gathered) // 2
            if not half:
                self.unsealed += 1
                return False
            first = self.seal(gathered[:half])
            return self.seal(gathered[half:]) and first
        # Used up even where the flash fails: what was written then is unknown, and a number
        # that is used twice is worse than a gap, which the gateway sees.
        self.sequence += 1
        try:
            self._outbox.put(sealed)
        except OSError:
            self.unsealed += 1
            return False
        self._on_sealed()
        return True

    def _sealed(self, gathered: list[Reading]) -> bytes:
        if len(gathered) > MAX_PACK_RECORDS:
            raise TooLargeError("too many records")
        timed = [
            Reading(one.name, one.unit, one.value, self._clock.time_ms(one.time_ms))
            for one in gathered
        ]
        return envelope.seal(
            self._identity.up,
            envelope.UP,
            self._identity.kid,
            epoch=self._identity.epoch,
            sequence=self.sequence,
            payload=senml.encode_pack(self._identity.name + "/", timed),
        )
