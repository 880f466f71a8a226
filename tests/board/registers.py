"""What the host and the virtual board tell each other beside the serial line: shared numbers.

A file of u32, in the order of tests/board/inside/host.py. Each number has one writer at a time.
"""

import struct
from pathlib import Path

OPERATIONS, CUT_AT, TORN, STOPPED, SLEEP_MS, WATCHDOG_MS, FED = range(7)
COUNT = 7
NEVER = 0


class Registers:
    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(4 * COUNT))
        self._file = path.open("r+b", buffering=0)

    def get(self, number: int) -> int:
        self._file.seek(4 * number)
        return int(struct.unpack("<I", self._file.read(4))[0])

    def set(self, number: int, value: int) -> None:
        self._file.seek(4 * number)
        self._file.write(struct.pack("<I", value))

    def close(self) -> None:
        self._file.close()
