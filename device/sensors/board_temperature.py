"""The chip's own temperature."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Keys, Quantities, Settings

KEYS: "Keys" = {}


class Sensor:
    def __init__(self, board: "Board", keys: "Settings") -> None:
        self._board = board

    def read(self) -> "Quantities":
        return (("", "Cel", self._board.temperature()),)
