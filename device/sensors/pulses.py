"""Pulses at a pin since this start: rain gauges, meters, anemometers. Counted by interrupt."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Keys, Quantities, Settings

KEYS: "Keys" = {"pin": (None, 0, 63), "debounce_ms": (20, 0, 1000)}


class Sensor:
    def __init__(self, board: "Board", keys: "Settings") -> None:
        self._counter = board.wiring().pulses(keys["pin"], keys["debounce_ms"])
        self._counted = 0  # what the counter, which wraps around, said last
        self._total = 0

    def read(self) -> "Quantities":
        """Never less than before: a reading that is lost on its way loses no pulse."""
        counted = self._counter.count
        self._total += counted - self._counted & self._counter.mask
        self._counted = counted
        return (("", "count", self._total),)
