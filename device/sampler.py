"""Sampler: reads each sensor when it is due, seals what it read, and puts it in the outbox.

Owns the sequence. Knows nothing of the network; asyncio and time come from the board.
"""

from device.config import OWN_NAMES
from protocol import envelope, senml
from protocol.errors import TooLargeError
from protocol.senml import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.clock import Clock
    from device.config import Config
    from device.identity import Identity
    from device.outbox import Outbox
    from device.shapes import Board, Report, Sensor

# How long a sampler that may go as fast as it can waits for a half-full outbox.
_FULL_WAIT_MS = 20
_LONGEST_SLEEP_MS = 60_000
_COUNT_UNIT = "count"


class _Slot:
    """One sensor and when it is due."""

    def __init__(self, name: str, every_ms: int, sensor: "Sensor", due_ms: int) -> None:
        self.name = name
        self.every_ms = every_ms
        self.sensor = sensor
        self.due_ms = due_ms


class Sampler:
    """`sequence` is the next envelope's; `sampled` counts attempts, failed reads included."""

    def __init__(
        self,
        config: "Config",
        identity: "Identity",
        outbox: "Outbox",
        clock: "Clock",
        *,
        sensors: "list[Sensor]",
        on_sealed: "Callable[[], None]",
    ) -> None:
        """`sensors` belong to `config.sensors`, one each."""
        self.sequence = 0
        self.sampled = 0
        self.read_errors = 0
        self.unsealed = 0  # packs that never got into the outbox
        self._config = config
        self._identity = identity
        self._outbox = outbox
        self._clock = clock
        self._on_sealed = on_sealed
        now_ms = clock.uptime_ms()
        self._slots = [
            _Slot(identity.name + "/" + one.name, one.every_ms, sensor, now_ms)
            for one, sensor in zip(config.sensors, sensors)  # noqa: B905 (no strict= on firmware)
        ]
        self._fast = min([slot.every_ms for slot in self._slots]) == 0
        # Readings of the pack being gathered, times still in uptime; at most readings_per_pack.
        self._gathered: list[Reading] = []
        self._opened_ms: int | None = None
        self._reported = (0, 0, 0)

    async def run(self, board: "Board", report: "Report", limit: int = 0) -> None:
        """Samples for ever, or until `limit` attempts were made; the last pack may be short."""
        while not limit or self.sampled < limit:
            while self._fast and 2 * self._outbox.used_bytes > self._outbox.capacity_bytes:
                await board.sleep_ms(_FULL_WAIT_MS)
            losses = self._losses()
            self.tick(limit)
            if self._losses() != losses:
                dropped, quarantined, read_errors = self._losses()
                report("lost", dropped=dropped, quarantined=quarantined, read_errors=read_errors)
            await board.sleep_ms(self._sleep_ms())
        self.seal()

    def tick(self, limit: int = 0) -> None:
        """Reads what is due now, and seals the pack if it is full or old enough."""
        now_ms = self._clock.uptime_ms()
        for slot in self._slots:
            if slot.due_ms <= now_ms and not (limit and self.sampled >= limit):
                self._sample(slot, now_ms)
                # Periods that were slept through are left out, not made up for.
                slot.due_ms = max(slot.due_ms + slot.every_ms, now_ms)
                if len(self._gathered) >= self._config.readings_per_pack:
                    self.seal()
        if self._opened_ms is not None:
            if now_ms - self._opened_ms >= self._config.pack_age_ms:
                self.seal()

    def seal(self) -> None:
        """Seals what was gathered, and what was lost since it was last told."""
        gathered, self._gathered = self._gathered, []
        self._opened_ms = None
        losses = self._losses()
        now_ms = self._clock.uptime_ms()
        for index, name in enumerate(OWN_NAMES):
            if losses[index] != self._reported[index]:
                own = self._identity.name + "/" + name
                gathered.append(Reading(own, _COUNT_UNIT, losses[index], now_ms))
        if gathered and self._seal(gathered):
            self._reported = losses

    def _sample(self, slot: _Slot, now_ms: int) -> None:
        self.sampled += 1
        if self._opened_ms is None:
            self._opened_ms = now_ms
        try:
            value = slot.sensor.read()
        except Exception:  # a driver may fail in any way; the others go on
            self.read_errors += 1
            return
        self._gathered.append(Reading(slot.name, slot.sensor.unit, value, now_ms))

    def _seal(self, gathered: list[Reading]) -> bool:
        """Whether all of it is in the outbox; a pack over one datagram goes in halves."""
        try:
            sealed = self._sealed(gathered)
        except TooLargeError:
            half = len(gathered) // 2
            if not half:
                self.unsealed += 1
                return False
            first = self._seal(gathered[:half])
            return self._seal(gathered[half:]) and first
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

    def _losses(self) -> tuple[int, int, int]:
        """In the order of OWN_NAMES, since this start."""
        return self._outbox.dropped + self.unsealed, self._outbox.quarantined, self.read_errors

    def _sleep_ms(self) -> int:
        now_ms = self._clock.uptime_ms()
        wake_ms = min([slot.due_ms for slot in self._slots])
        if self._opened_ms is not None:
            wake_ms = min(wake_ms, self._opened_ms + self._config.pack_age_ms)
        return min(max(wake_ms - now_ms, 0), _LONGEST_SLEEP_MS)
