"""Raspberry Pi Pico, Pico W and their successors."""

import machine

from device.board.firmware import Firmware
from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.cbor import Decimal

_THERMOMETER = 4  # RP2040 datasheet §4.9.5: the fifth ADC input; firmware knows other chips'


class Board(Firmware):
    name = "rp2"
    has_radio = True
    feed: "Callable[[], None] | None" = None

    def __init__(self) -> None:
        super().__init__()
        self._adc = machine.ADC(getattr(machine.ADC, "CORE_TEMP", _THERMOMETER))

    def unique_id(self) -> bytes:
        return machine.unique_id()

    def temperature(self) -> "int | Decimal":
        """27 - (V - 0.706) / 0.001721, V = 3.3 * raw / 65535; whole numbers, floats have 32 bits.

        In hundredths of a degree: one step of the 12-bit ADC is half a degree.
        """
        microvolts = self._adc.read_u16() * 3_300_000 // 65_535
        return decimal(2700 - (microvolts - 706_000) * 100 // 1721, -2)

    def watchdog(self, timeout_ms: int) -> "Callable[[], None] | None":
        feed: Callable[[], None] = machine.WDT(timeout=timeout_ms).feed
        self.feed = feed
        return feed

    def reset(self) -> None:
        machine.reset()
