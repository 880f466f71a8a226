"""DHT22 (AM2302): temperature and humidity over one wire. Aosong's data sheet, section 7.

The firmware's `dht` module times the wire and checks the sum; we take its five bytes, not its
floats.
"""

from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Keys, Quantities, Settings

# Asked more often than every 2 s it repeats itself.
KEYS: "Keys" = {"pin": (None, 0, 63), "every_ms": (10_000, 2000, 86_400_000)}
QUANTITIES = ("temperature", "humidity")
_COLDEST, _HOTTEST, _WETTEST = -400, 800, 1000  # tenths


class Sensor:
    def __init__(self, board: "Board", keys: "Settings") -> None:
        self._wire = board.wiring().dht22(keys["pin"])

    def read(self) -> "Quantities":
        """OSError where nothing answers or the sum is wrong, ValueError for what cannot be."""
        data = self._wire.measure()
        humidity = data[0] << 8 | data[1]
        temperature = (data[2] & 0x7F) << 8 | data[3]
        if data[2] & 0x80:
            temperature = -temperature
        # A wire held low reads as zeros, and the sum of zeros is right.
        if not (humidity or temperature):
            raise ValueError("the wire is held low")
        if humidity > _WETTEST or not _COLDEST <= temperature <= _HOTTEST:
            raise ValueError("out of range")
        return (
            ("temperature", "Cel", decimal(temperature, -1)),
            ("humidity", "%RH", decimal(humidity, -1)),
        )
