"""What a write-ahead log still holds after the last transaction that SQLite took from it.

SQLite reads its log up to the first frame that is not whole, and says nothing of the rest. A
power cut leaves at most one transaction there, which nobody was answered. More, or a head that
cannot be read, is damage: answered entries may be gone (https://sqlite.org/fileformat2.html, 4).
"""

import struct
from pathlib import Path

_HEAD = struct.Struct(">8I")  # magic, version, page size, sequence, salt (2), checksum (2)
_FRAME = struct.Struct(">2I8s8x")  # page, pages after a commit or 0, salt
_MAGIC = 0x377F0682  # the last bit: checksums are over big-endian words
_SALT = slice(16, 24)


def left_over(wal: Path, taken: int) -> str:
    """For people: what follows the `taken` frames that SQLite read; empty where nothing does."""
    if not wal.exists() or wal.stat().st_size <= _HEAD.size:
        return ""
    with wal.open("rb") as file:
        head = file.read(_HEAD.size)
        if not _is_whole(head):
            return "its head cannot be read, so nothing in it was"
        frame_bytes = _FRAME.size + _HEAD.unpack(head)[2]
        rest = commits = 0
        file.seek(taken * frame_bytes, 1)
        while len(frame := file.read(frame_bytes)) == frame_bytes:
            _, pages, salt = _FRAME.unpack_from(frame)
            if _alike(salt, head[_SALT]):  # else it is of an earlier log in the same file
                rest += 1
                commits += pages > 0
    if not rest:
        return ""
    if commits > 1:
        return f"{commits} transactions after its last whole one cannot be read: it is damaged"
    return "its last transaction is not whole: cut off before anybody was answered, or damaged"


def _is_whole(head: bytes) -> bool:
    words = _HEAD.unpack(head)
    if words[0] & ~1 != _MAGIC:
        return False
    order = ">" if words[0] & 1 else "<"
    one = two = 0
    for even, odd in struct.iter_unpack(f"{order}2I", head[:24]):
        one = (one + even + two) & 0xFFFFFFFF
        two = (two + odd + one) & 0xFFFFFFFF
    return (one, two) == words[6:]


def _alike(salt: bytes, other: bytes) -> bool:
    """But for one bit, which may be the damage; salts of other logs differ in many."""
    return (int.from_bytes(salt, "big") ^ int.from_bytes(other, "big")).bit_count() <= 1
