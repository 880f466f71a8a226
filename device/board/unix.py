"""The unix port of MicroPython: a simulated device, or a small Linux machine."""

import sys

from device.board.firmware import Firmware
from protocol.cbor import decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.cbor import Decimal

_THERMAL = "/sys/class/thermal/thermal_zone0/temp"
_MACHINE_ID = "/etc/machine-id"


class Board(Firmware):
    name = "unix"

    def unique_id(self) -> bytes:
        with open(_MACHINE_ID) as file:
            return bytes.fromhex(file.read().strip())

    def temperature(self) -> "int | Decimal":
        """OSError where the machine has no thermal zone: never a made-up value."""
        with open(_THERMAL) as file:
            return decimal(int(file.read()), -3)

    def reset(self) -> None:
        sys.exit(1)
