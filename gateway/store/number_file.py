"""NumberFile: how far a sequence of numbers was used, on stable storage before it is.

One line, the first number that is still free. Damaged or missing, it says nothing: whoever
asks goes on from somewhere that is free for sure. Its owner is the gateway that holds DIR.
"""

import os
import zlib
from pathlib import Path

from gateway.store.files import Disk, write_durable

_MAX_DIGITS = 20


class NumberFile:
    def __init__(self, path: Path, *, disk: Disk = os) -> None:
        self._path = path
        self._disk = disk

    def read(self) -> int | None:
        """The first number that is free; None where that is not known."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return None
        digits = data.partition(b" ")[0]
        if not digits.isdigit() or len(digits) > _MAX_DIGITS or data != _line(int(digits)):
            return None
        return int(digits)

    def reserve(self, stop: int) -> None:
        """All below `stop` may be used once this returns; StoreFailedError."""
        write_durable(self._path, _line(stop), disk=self._disk)


def _line(number: int) -> bytes:
    """The number and its CRC-32: a flipped bit must not make it smaller."""
    digits = b"%d" % number
    return b"%s %08x\n" % (digits, zlib.crc32(digits))
