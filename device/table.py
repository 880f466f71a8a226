"""The table that signing needs, read a point at a time.

It stays in flash: in memory it would take 8 KiB and save little. `table_file` finds it.
"""

from protocol.errors import FaultError
from protocol.p256 import POINT_BYTES


class Table:
    """One open file; `read` gives the same buffer each time."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")
        self._point = bytearray(POINT_BYTES)

    def read(self, index: int) -> bytearray:
        """x ‖ y of a point. FaultError where the flash fails."""
        try:
            self._file.seek(index * POINT_BYTES)
            if self._file.readinto(self._point) == POINT_BYTES:
                return self._point
        except OSError:
            pass
        raise FaultError("the table cannot be read")

    def close(self) -> None:
        self._file.close()
