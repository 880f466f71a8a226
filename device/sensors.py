"""Sensor drivers: each reads one number. When to read and what becomes of it is the sampler's."""

from protocol.cbor import Decimal, decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Sensor

_START, _LOW, _HIGH = 2150, 1950, 2350  # hundredths of a degree


class BoardTemperature:
    """The chip's own temperature."""

    unit = "Cel"

    def __init__(self, board: "Board") -> None:
        self._board = board

    def read(self) -> int | Decimal:
        return self._board.temperature()


class Simulated:
    """A slow walk around 21.5 degrees, as random as the board's numbers are."""

    unit = "Cel"

    def __init__(self, board: "Board") -> None:
        self._board = board
        self._hundredths = _START

    def read(self) -> int | Decimal:
        step = self._board.random_bits(8) % 5 - 2
        self._hundredths = min(max(self._hundredths + step, _LOW), _HIGH)
        return decimal(self._hundredths, -2)


DRIVERS: "dict[str, type[BoardTemperature] | type[Simulated]]" = {
    "board-temperature": BoardTemperature,
    "simulated": Simulated,
}


def make(driver: str, board: "Board") -> "Sensor":
    """A sensor by its driver's name, which `config` has checked."""
    return DRIVERS[driver](board)
