"""The last envelope that earlier starts of this device left on its flash, sent or not.

A device that signs reads it once, at its start, so that its first envelope can name it.
"""

import binascii
import os
import struct

from device.outbox import HEADER, HEADER_BYTES, MAGIC
from protocol.limits import MAX_ENVELOPE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


def last_envelope(folder: str) -> bytes | None:
    """Of the newest segment in the outbox `folder` that gives one back whole; None for none."""
    for name in sorted(os.listdir(folder), reverse=True):
        if name.startswith("s") and len(name) == 9:
            try:
                with open(folder + "/" + name, "rb") as file:
                    last = _last_whole(file)
            except OSError:
                continue
            if last is not None:
                return last
    return None


def _last_whole(file: "BinaryIO") -> bytes | None:
    last = None
    while True:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES:
            return last
        magic, version, size, crc = struct.unpack(HEADER, header)
        if magic != MAGIC or version or size > MAX_ENVELOPE_BYTES:
            return last
        envelope: bytes = file.read(size)
        if len(envelope) == size and binascii.crc32(envelope) & 0xFFFFFFFF == crc:
            last = envelope
