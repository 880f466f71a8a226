"""A slow walk around 21.5 degrees, as random as the board's numbers are: for trying things."""

from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Keys, Quantities, Settings

KEYS: "Keys" = {}
_START, _LOW, _HIGH = 2150, 1950, 2350  # hundredths of a degree


class Sensor:
    def __init__(self, board: "Board", keys: "Settings") -> None:
        self._board = board
        self._hundredths = _START

    def read(self) -> "Quantities":
        step = self._board.random_bits(8) % 5 - 2
        self._hundredths = min(max(self._hundredths + step, _LOW), _HIGH)
        return (("", "Cel", decimal(self._hundredths, -2)),)
