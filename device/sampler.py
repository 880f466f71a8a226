"""Sampler: reads each sensor when it is due, and gathers what is worth sending into packs.

Knows nothing of the network; asyncio and time come from the board.
"""

from device.config import OWN_NAMES
from device.slot import SEND_NOW, SKIP, Slot
from protocol.senml import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.clock import Clock
    from device.config import Config
    from device.outbox import Outbox
    from device.packer import Packer
    from device.shapes import Board, Report, Tick

# How long a sampler that may go as fast as it can waits for a half-full outbox.
_FULL_WAIT_MS = 20
_LONGEST_SLEEP_MS = 60_000
_COUNT_UNIT = "count"
_READ_ERRORS = "/read-errors"


class Sampler:
    """`sampled` counts attempts, failed reads included; `slots` has one for each sensor."""

    def __init__(
        self, board: "Board", config: "Config", outbox: "Outbox", clock: "Clock", packer: "Packer"
    ) -> None:
        self.sampled = 0
        self._board = board
        self._config = config
        self._outbox = outbox
        self._clock = clock
        self._packer = packer
        now_ms = clock.uptime_ms()
        self.slots = [Slot(board, one, config.name, now_ms) for one in config.sensors]
        self._fast = min([slot.config.every_ms for slot in self.slots]) == 0
        # Of the pack being gathered, times still in uptime. A pack that is full is sealed.
        self._gathered: list[Reading] = []
        self._opened_ms: int | None = None
        self._urgent = False
        self._reported = (0,) * len(OWN_NAMES)

    @property
    def read_errors(self) -> int:
        errors = 0
        for slot in self.slots:  # no list: this is asked at every turn
            errors += slot.errors
        return errors

    async def run(self, report: "Report", tick: "Tick", limit: int = 0) -> None:
        """Samples for ever, or until `limit` attempts were made; the last pack may be short."""
        while not limit or self.sampled < limit:
            tick()
            while self._fast and 2 * self._outbox.used_bytes > self._outbox.capacity_bytes:
                tick()
                await self._board.sleep_ms(_FULL_WAIT_MS)
            lost = self._lost()
            self.tick(limit)
            if self._lost() != lost:
                dropped, quarantined = self._losses()[:2]
                reasons = {slot.name: slot.reason for slot in self.slots if slot.reason}
                report(
                    "lost",
                    dropped=dropped,
                    quarantined=quarantined,
                    read_errors=self.read_errors,
                    reasons=reasons,
                )
            await self._board.sleep_ms(self.sleep_ms())
        self.seal()

    def tick(self, limit: int = 0) -> None:
        """Reads what is due now, and seals the pack if it is full, old enough or urgent."""
        now_ms = self._clock.uptime_ms()
        for slot in self.slots:
            if slot.due_ms <= now_ms and not (limit and self.sampled >= limit):
                self._sample(slot, now_ms)
                slot.plan(now_ms, self._clock)
                if self._urgent or len(self._gathered) >= self._config.readings_per_pack:
                    self.seal()
        if self._opened_ms is not None:
            if now_ms - self._opened_ms >= self._config.pack_age_ms:
                self.seal()

    def sample_now(self) -> int:
        """Reads every sensor, due or not, and seals what it said; how many there are."""
        now_ms = self._clock.uptime_ms()
        for slot in self.slots:
            self._sample(slot, now_ms)
        self.seal()
        return len(self.slots)

    def seal(self) -> None:
        """Seals what was gathered, and what was lost since it was last told."""
        gathered, self._gathered = self._gathered, []
        self._opened_ms = None
        self._urgent = False
        losses = self._losses()
        now_ms = self._clock.uptime_ms()
        for index in range(len(OWN_NAMES)):  # enumerate makes a pair of each, for every pack
            if losses[index] != self._reported[index]:
                own = self._config.name + "/" + OWN_NAMES[index]
                gathered.append(Reading(own, _COUNT_UNIT, losses[index], now_ms))
        for slot in self.slots:
            if slot.errors != slot.told:
                own = slot.name + _READ_ERRORS
                gathered.append(Reading(own, _COUNT_UNIT, slot.errors, now_ms))
        if gathered and self._packer.seal(gathered):
            self._reported = losses
            for slot in self.slots:
                slot.told = slot.errors

    def _sample(self, slot: Slot, now_ms: int) -> None:
        self.sampled += 1
        quantities = slot.read()
        if not quantities and self._opened_ms is None:
            self._opened_ms = now_ms  # the failure is told when a reading would have been
        for suffix, unit, value in quantities:
            worth = slot.judge(suffix, value, now_ms)
            if worth != SKIP:
                self._gather(Reading(slot.name_of(suffix), unit, value, now_ms))
                self._urgent = self._urgent or worth == SEND_NOW

    def _gather(self, reading: Reading) -> None:
        if self._opened_ms is None:
            self._opened_ms = reading.time_ms
        self._gathered.append(reading)

    def _lost(self) -> int:
        """All that was lost since this start, and could not be read."""
        box = self._outbox
        lost = box.dropped + self._packer.unsealed + box.quarantined + box.corrupt
        return lost + box.flash_errors + self.read_errors

    def _losses(self) -> "tuple[int, ...]":
        """In the order of OWN_NAMES, since this start."""
        box = self._outbox
        dropped = box.dropped + self._packer.unsealed
        return dropped, box.quarantined, box.corrupt, box.flash_errors

    def sleep_ms(self) -> int:
        now_ms = self._clock.uptime_ms()
        wait_ms = _LONGEST_SLEEP_MS
        for slot in self.slots:
            wait_ms = min(wait_ms, slot.due_ms - now_ms)
        if self._opened_ms is not None:
            wait_ms = min(wait_ms, self._opened_ms + self._config.pack_age_ms - now_ms)
        return max(wait_ms, 0)
