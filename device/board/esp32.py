"""ESP32 and its variants. Its real-time clock counts from 2000, and is never asked."""

import esp32
import machine

from device.board.firmware import Firmware
from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.cbor import Decimal


class Board(Firmware):
    name = "esp32"
    has_radio = True

    def unique_id(self) -> bytes:
        return machine.unique_id()

    def temperature(self) -> "int | Decimal":
        """Whole degrees Celsius from the newer chips; the first one measures in Fahrenheit."""
        if hasattr(esp32, "mcu_temperature"):
            return int(esp32.mcu_temperature())
        if not hasattr(esp32, "raw_temperature"):
            raise OSError("no thermometer")
        return decimal((int(esp32.raw_temperature()) - 32) * 500 // 9, -2)

    def watchdog(self, timeout_ms: int) -> "Callable[[], None] | None":
        feed: Callable[[], None] = machine.WDT(timeout=timeout_ms).feed
        return feed

    def reset(self) -> None:
        machine.reset()
