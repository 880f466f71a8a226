"""Small checked files: what was saved, or nothing; never half of it.

A file is its data and a CRC-32 of it. Knows nothing of what the data means.
"""

import binascii
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files

_CRC_BYTES = 4


def load(path: str) -> bytes | None:
    """The data of `path`, or of the replacement that a power cut left beside it."""
    for candidate in (path, path + ".tmp"):
        try:
            with open(candidate, "rb") as file:
                content: bytes = file.read()
        except OSError:
            continue
        data = content[:-_CRC_BYTES]
        if len(content) >= _CRC_BYTES and _crc(data) == content[-_CRC_BYTES:]:
            return data
    return None


def save(files: "Files", path: str, data: bytes) -> None:
    """Replaces `path` in one step: a power cut leaves the old data or the new."""
    write(files, path + ".tmp", data)
    os.rename(path + ".tmp", path)


def write(files: "Files", path: str, data: bytes) -> None:
    """Writes `path` in place: a power cut may leave nothing, which `load` notices."""
    with open(path, "wb") as file:
        file.write(data + _crc(data))
        files.sync(file)


def make_folder(path: str) -> bool:
    """Whether the folder had to be made."""
    try:
        os.mkdir(path)
    except OSError:
        os.stat(path)  # raises where it is missing still
        return False
    return True


def _crc(data: bytes) -> bytes:
    # & keeps the number unsigned on every firmware
    crc: int = binascii.crc32(data) & 0xFFFFFFFF
    return crc.to_bytes(_CRC_BYTES, "big")
