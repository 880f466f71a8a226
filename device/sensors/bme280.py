"""BME280: temperature, humidity and pressure over I2C, compensated in whole numbers.

Bosch's data sheet BST-BME280-DS002: §4.2 compensation (32-bit temperature and humidity, 64-bit
pressure), §5.3 registers. Sleeps between reads: each is one measurement in forced mode.
"""

import struct

from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Keys, Quantities, Settings

KEYS: "Keys" = {
    "bus": (0, 0, 3),
    "sda": (None, 0, 63),
    "scl": (None, 0, 63),
    "address": (0x76, 0x76, 0x77),
}
QUANTITIES = ("temperature", "humidity", "pressure")
_ID, _IS_BME280 = 0xD0, 0x60
_CALIBRATION_1, _CALIBRATION_2, _H1 = 0x88, 0xE1, 0xA1
_CTRL_HUM, _STATUS, _CTRL_MEAS, _DATA = 0xF2, 0xF3, 0xF4, 0xF7
_ONCE, _ALL_ONCE_FORCED = b"\x01", b"\x25"  # oversampling 1 of all three; then sleep
_MEASURING = 0x08
_LONGEST_MS, _POLL_MS = 40, 10  # §9.1: 9.3 ms at most, and then some
_SKIPPED_20, _SKIPPED_16 = 0x80000, 0x8000  # what a quantity reads that was not measured
_COLDEST, _HOTTEST = -4000, 8500  # hundredths of a degree
_THINNEST, _THICKEST = 30_000, 110_000  # Pa


class Sensor:
    def __init__(self, board: "Board", keys: "Settings") -> None:
        """OSError where no BME280 answers, or not with constants that can be."""
        self._wiring = board.wiring()
        self._bus = self._wiring.i2c(keys["bus"], keys["sda"], keys["scl"])
        self._address = keys["address"]
        if self._registers(_ID, 1)[0] != _IS_BME280:
            raise OSError("not a BME280")
        self._temperatures, self._pressures, self._humidities = _constants(
            self._registers(_CALIBRATION_1, 24),
            self._registers(_H1, 1)[0],
            self._registers(_CALIBRATION_2, 7),
        )

    def read(self) -> "Quantities":
        """OSError where nothing answers or ends, ValueError for what cannot be."""
        self._measure()
        # in one read: the registers hold still while it lasts (§4.1)
        data = self._registers(_DATA, 8)
        raw_pressure = data[0] << 12 | data[1] << 4 | data[2] >> 4
        raw_temperature = data[3] << 12 | data[4] << 4 | data[5] >> 4
        raw_humidity = data[6] << 8 | data[7]
        if _SKIPPED_20 in (raw_pressure, raw_temperature) or raw_humidity == _SKIPPED_16:
            raise OSError("not measured")
        fine = fine_temperature(self._temperatures, raw_temperature)
        temperature = fine * 5 + 128 >> 8
        pressure = pressure_256(self._pressures, fine, raw_pressure) + 128 >> 8
        humidity = humidity_1024(self._humidities, fine, raw_humidity)
        if not _COLDEST <= temperature <= _HOTTEST or not _THINNEST <= pressure <= _THICKEST:
            raise ValueError("out of range")
        return (
            ("temperature", "Cel", decimal(temperature, -2)),
            ("humidity", "%RH", decimal(humidity * 100 + 512 >> 10, -2)),
            ("pressure", "Pa", pressure),
        )

    def _measure(self) -> None:
        self._bus.writeto_mem(self._address, _CTRL_HUM, _ONCE)  # counts from the next line on
        self._bus.writeto_mem(self._address, _CTRL_MEAS, _ALL_ONCE_FORCED)
        for _ in range(0, _LONGEST_MS, _POLL_MS):
            self._wiring.pause_ms(_POLL_MS)
            if not self._registers(_STATUS, 1)[0] & _MEASURING:
                return
        raise OSError("measures without end")

    def _registers(self, first: int, count: int) -> bytearray:
        data = bytearray(count)
        self._bus.readfrom_mem_into(self._address, first, data)
        return data


def _constants(
    first: bytearray, h1: int, second: bytearray
) -> "tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]":
    """T1 to T3, P1 to P9 and H1 to H6 (§4.2.2, table 16); OSError for those of a dead bus."""
    constants = struct.unpack("<HhhHhhhhhhhh", first)
    if constants[0] in (0, 0xFFFF) or not constants[3]:
        raise OSError("no calibration")
    h2, h3 = struct.unpack("<hB", second[:3])
    h4 = _signed(second[3]) * 16 + (second[4] & 0x0F)
    h5 = _signed(second[5]) * 16 + (second[4] >> 4)
    return constants[:3], constants[3:], (h1, h2, h3, h4, h5, _signed(second[6]))


def _signed(byte: int) -> int:
    return byte - 256 if byte & 0x80 else byte


def fine_temperature(constants: "tuple[int, ...]", raw: int) -> int:
    """t_fine: 5120 to a degree."""
    t1, t2, t3 = constants
    coarse = ((raw >> 3) - (t1 << 1)) * t2 >> 11
    square = ((raw >> 4) - t1) * ((raw >> 4) - t1) >> 12
    return coarse + (square * t3 >> 14)


def pressure_256(constants: "tuple[int, ...]", fine: int, raw: int) -> int:
    """256 to a pascal; ValueError where the constants cannot be."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = constants
    part = fine - 128_000
    offset = part * part * p6 + (part * p5 << 17) + (p4 << 35)
    scale = (part * part * p3 >> 8) + (part * p2 << 12)
    scale = ((1 << 47) + scale) * p1 >> 33
    if scale <= 0:
        raise ValueError("out of range")
    pressure = (((1_048_576 - raw) << 31) - offset) * 3125 // scale
    square = p9 * (pressure >> 13) * (pressure >> 13) >> 25
    return (pressure + square + (p8 * pressure >> 19) >> 8) + (p7 << 4)


def humidity_1024(constants: "tuple[int, ...]", fine: int, raw: int) -> int:
    """1024 to a percent of relative humidity, from 0 to 100 %."""
    h1, h2, h3, h4, h5, h6 = constants
    part = fine - 76_800
    wet = (raw << 14) - (h4 << 20) - h5 * part + 16_384 >> 15
    dry = ((part * h6 >> 10) * ((part * h3 >> 11) + 32_768) >> 10) + 2_097_152
    wet *= dry * h2 + 8192 >> 14
    wet -= ((wet >> 15) * (wet >> 15) >> 7) * h1 >> 4
    return min(max(wet, 0), 419_430_400) >> 12
