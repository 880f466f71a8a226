"""SHT30, SHT31, SHT35: temperature and humidity over I2C, each word with its CRC-8.

Sensirion's data sheet of the SHT3x-DIS: §4.3 single shots, §4.12 the CRC, §4.13 conversion.
"""

from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Keys, Quantities, Settings

KEYS: "Keys" = {
    "bus": (0, 0, 3),
    "sda": (None, 0, 63),
    "scl": (None, 0, 63),
    "address": (0x44, 0x44, 0x45),
}
QUANTITIES = ("temperature", "humidity")
_MEASURE = b"\x24\x00"  # high repeatability, no clock stretching
_MEASURING_MS = 16
_COLDEST, _HOTTEST = -4000, 12_500  # hundredths


class Sensor:
    def __init__(self, board: "Board", keys: "Settings") -> None:
        self._wiring = board.wiring()
        self._bus = self._wiring.i2c(keys["bus"], keys["sda"], keys["scl"])
        self._address = keys["address"]
        self._data = bytearray(6)

    def read(self) -> "Quantities":
        """OSError where nothing answers or a CRC is wrong, ValueError for what cannot be."""
        self._bus.writeto(self._address, _MEASURE)
        self._wiring.pause_ms(_MEASURING_MS)
        self._bus.readfrom_into(self._address, self._data)
        # half a step is added, so that the division rounds
        temperature = (17_500 * self._word(0) + 32_767) // 65_535 - 4500
        humidity = (10_000 * self._word(3) + 32_767) // 65_535
        if not _COLDEST <= temperature <= _HOTTEST:
            raise ValueError("out of range")
        return (
            ("temperature", "Cel", decimal(temperature, -2)),
            ("humidity", "%RH", decimal(humidity, -2)),
        )

    def _word(self, at: int) -> int:
        if _crc(self._data[at], self._data[at + 1]) != self._data[at + 2]:
            raise OSError("wrong CRC")
        return self._data[at] << 8 | self._data[at + 1]


def _crc(high: int, low: int) -> int:
    """CRC-8 of two bytes: polynomial 0x31, first 0xff."""
    crc = 0xFF
    for byte in (high, low):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc
