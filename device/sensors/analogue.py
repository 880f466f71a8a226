"""A voltage at an analogue pin, scaled: value = (raw * multiply // divide + offset) / 10**decimals.

`raw` is what the board's converter says, from 0 to 65535. Whole numbers only, so that 0.1 is 0.1.
"""

from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Keys, Quantities, Settings

_LARGEST = 1_000_000_000
# The defaults make millivolts of 3.3 V. `least` and `most` are the raw numbers that can be: a
# loop of 4 to 20 mA that is broken reads 0, and that is no value.
KEYS: "Keys" = {
    "pin": (None, 0, 63),
    "unit": "V",
    "multiply": (3300, -_LARGEST, _LARGEST),
    "divide": (65_535, 1, _LARGEST),
    "offset": (0, -_LARGEST, _LARGEST),
    "decimals": (3, 0, 9),
    "least": (0, 0, 65_535),
    "most": (65_535, 0, 65_535),
}


class Sensor:
    def __init__(self, board: "Board", keys: "Settings") -> None:
        self._keys = keys
        self._pin = board.wiring().analogue(keys["pin"])

    def read(self) -> "Quantities":
        """ValueError for what is not from `least` to `most`."""
        keys = self._keys
        raw = self._pin.read_u16()
        if not keys["least"] <= raw <= keys["most"]:
            raise ValueError("out of range")
        scaled = raw * keys["multiply"] // keys["divide"] + keys["offset"]
        return (("", keys["unit"], decimal(scaled, -keys["decimals"])),)
