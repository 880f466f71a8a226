"""Finds and checks p256.tab, the table that signing needs. A board runs it once a start."""

import hashlib
import sys

from device.config import ConfigError
from device.table import Table

NAME = "p256.tab"
# What `tools.p256_table` makes. Another file could hold other points that are on the curve.
SHA256 = (
    b"\xdd\xc9\x94\x14\xab\x87\xea\xad\x95\x94\xca\x83\x78\x9f\xb9\xa3"
    b"\x66\x1d\xf1\x3a\x80\xfa\x5b\x8b\xbc\x8b\x80\x97\xc0\x98\xd6\x68"
)
_CHUNK_BYTES = 256


def open_table(folder: str) -> Table:
    """The table in `folder`, or wherever modules are found. ConfigError where none is whole."""
    for place in [folder] + sys.path:
        if _is_whole(place + "/" + NAME):
            return Table(place + "/" + NAME)
    raise ConfigError(f"no whole {NAME}: copy it again with `tallystick flash NAME`")


def _is_whole(path: str) -> bool:
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            chunk = file.read(_CHUNK_BYTES)
            while chunk:
                found.update(chunk)
                chunk = file.read(_CHUNK_BYTES)
    except OSError:
        return False
    return bool(found.digest() == SHA256)
