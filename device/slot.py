"""Slot: one sensor, when it is due, and how many of its reads have failed.

Opens the driver when it is first due, and again after a read that failed: a sensor that was
absent, or was without power for a while, comes back by itself. Knows no packs.
"""

from device.sensors import open_sensor
from protocol.cbor import Decimal
from protocol.limits import MAX_MANTISSA, MIN_EXPONENT
from protocol.senml import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.band import Band
    from device.clock import Clock
    from device.config import SensorConfig
    from device.shapes import Board, Quantities, Sensor

SKIP, SEND, SEND_NOW = 0, 1, 2  # what a reading is worth
_LEAST_RETRY_MS, _LONGEST_RETRY_MS = 1000, 300_000
_MAX_QUANTITIES = 16
_MAX_UNIT_BYTES = 16


class Slot:
    """`errors` counts failed reads since this start, `reason` says what the last one was."""

    def __init__(self, board: "Board", config: "SensorConfig", device: str, due_ms: int) -> None:
        self.name = device + "/" + config.name
        self.due_ms = due_ms
        self.errors = self.told = 0  # told: of the errors, those that a sealed pack speaks of
        self.reason = ""
        self.config = config
        self._board = board
        self._sensor: "Sensor | None" = None
        self._names: dict[str, str] = {}  # suffix -> whole name, of what it has given so far
        self._misses = 0  # failed reads in a row
        self._band: "Band | None" = None
        if config.limits is not None:
            from device.band import Band  # a board loads only what its config asks for

            self._band = Band(config.limits, config.at_least_ms)

    def read(self) -> "Quantities":
        """What the sensor measures now, all of it fit to be sealed; nothing where that failed."""
        try:
            if self._sensor is None:
                self._sensor = open_sensor(self.config.driver, self._board, self.config.keys)
            quantities = self._sensor.read()
            if not 0 < len(quantities) <= _MAX_QUANTITIES:
                raise ValueError("no quantities, or too many")
            for suffix, unit, value in quantities:
                self._check(suffix, unit, value)
        except Exception as error:  # a driver may fail in any way; the others go on
            self._sensor = None
            self.errors += 1
            self._misses += 1
            self.reason = repr(error)
            return ()
        self._misses = 0
        return quantities

    def name_of(self, suffix: str) -> str:
        """The whole name of a quantity that `read` has given."""
        return self._names[suffix]

    def judge(self, suffix: str, value: "int | Decimal", now_ms: int) -> int:
        """What a reading is worth; all are sent where config.json says nothing else."""
        return SEND if self._band is None else self._band.judge(suffix, value, now_ms)

    def plan(self, now_ms: int, clock: "Clock") -> None:
        """When it is due next. Periods that were slept through are left out, not made up for."""
        every_ms = self.config.every_ms
        if self._misses:
            retry_ms = max(every_ms, _LEAST_RETRY_MS) << min(self._misses - 1, 16)
            self.due_ms = now_ms + min(retry_ms, max(every_ms, _LONGEST_RETRY_MS))
        elif self.config.at_ms is not None and clock.is_set:
            ahead_ms = (self.config.at_ms - clock.time_ms(now_ms)) % every_ms
            # not once more for a clock that was set back a little, or a sleep that was short
            self.due_ms = now_ms + ahead_ms + (every_ms if 4 * ahead_ms < every_ms else 0)
        else:
            self.due_ms = max(self.due_ms + every_ms, now_ms)

    def _check(self, suffix: str, unit: str, value: object) -> None:
        """Refuses what the gateway would: one such record costs all others of its pack."""
        if suffix not in self._names:
            name = self.name + "/" + suffix if suffix else self.name
            if not is_name(name):
                raise ValueError("no name: " + name)
            self._names[suffix] = name
        if not isinstance(unit, str) or len(unit) > _MAX_UNIT_BYTES:
            raise ValueError("no unit")
        # not isinstance: on CPython a bool is an int
        if type(value) is Decimal:
            mantissa, exponent = value
            if not MIN_EXPONENT <= exponent < 0 or not mantissa % 10:
                raise ValueError("make decimal fractions with protocol.cbor.decimal")
        elif type(value) is int:
            mantissa = value
        else:
            raise ValueError("neither a whole number nor a decimal fraction")
        if not -MAX_MANTISSA <= mantissa <= MAX_MANTISSA:
            raise ValueError("a number over 63 bits")
