"""The table that signing needs, p256.tab: looked for, checked, and read a point at a time.

It stays in flash: in memory it would take 8 KiB and save little.
"""

import hashlib
import sys

from device.config import ConfigError
from protocol.errors import FaultError
from protocol.p256 import POINT_BYTES

NAME = "p256.tab"
# What `tools.p256_table` makes. Another file could hold other points that are on the curve.
SHA256 = (
    b"\xdd\xc9\x94\x14\xab\x87\xea\xad\x95\x94\xca\x83\x78\x9f\xb9\xa3"
    b"\x66\x1d\xf1\x3a\x80\xfa\x5b\x8b\xbc\x8b\x80\x97\xc0\x98\xd6\x68"
)
_CHUNK_BYTES = 256


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

    def is_whole(self) -> bool:
        """Whether all of it is what it should be."""
        found = hashlib.sha256()
        try:
            self._file.seek(0)
            chunk = self._file.read(_CHUNK_BYTES)
            while chunk:
                found.update(chunk)
                chunk = self._file.read(_CHUNK_BYTES)
        except OSError:
            return False
        return bool(found.digest() == SHA256)

    def close(self) -> None:
        self._file.close()


def open_table(folder: str) -> Table:
    """The table in `folder`, or wherever modules are found. ConfigError where none is whole."""
    for place in [folder] + sys.path:
        try:
            table = Table(place + "/" + NAME)
        except OSError:
            continue
        if table.is_whole():
            return table
        table.close()
    raise ConfigError(f"no whole {NAME}: copy it again with `tallystick flash NAME`")
