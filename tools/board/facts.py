"""What a board says of itself, and whether a device can run on it. Pure but for the question."""

from typing import NamedTuple

from tools.board.faults import BoardError, FullError
from tools.board.link import Board

OLDEST = (1, 24)
PORTS = ("rp2", "esp32", "linux")  # linux: the unix port, on a small Linux machine
_MPY = 6  # the bytecode that mpy-cross makes, and MicroPython 1.19 and later run
_WIDE_WORD_BYTES = 8
# With less no reading came from a virtual board, whose words have 64 bits. On 32 bits the same
# objects take a third less.
_HEAP_BYTES, _SMALL_HEAP_BYTES = 108 << 10, 56 << 10
_SPARE_BLOCKS = 8  # for counters, folders and the first segments of the outbox
_NEW_FIRMWARE = "install MicroPython 1.24 or later: https://micropython.org/download"
_ASK = """
import sys, os, gc, json
i = sys.implementation
v = os.statvfs('/')
gc.collect()
print(json.dumps([i.name, list(i.version)[:3], sys.platform, getattr(i, '_mpy', 0) & 255,
    8 if sys.maxsize > 0x7fffffff else 4, gc.mem_free(), v[0], v[0] * v[4]]))
"""


class Facts(NamedTuple):
    firmware: str
    version: tuple[int, ...]
    port: str
    mpy: int
    word_bytes: int
    free_heap_bytes: int
    block_bytes: int
    free_flash_bytes: int

    @property
    def named(self) -> str:
        return f"{self.firmware} {'.'.join(map(str, self.version))} on {self.port}"


def of(board: Board) -> Facts:
    ((firmware, version, port, *numbers),) = board.ask(_ASK, "asking for its firmware")
    return Facts(firmware, tuple(version), port, *numbers)


def check(facts: Facts, *, small: bool) -> None:
    """BoardError where no device can run there, with what to install or to choose."""
    if facts.firmware != "micropython":
        raise BoardError(f"the board runs {facts.firmware}, not MicroPython", _NEW_FIRMWARE)
    if facts.version[:2] < OLDEST or facts.mpy != _MPY:
        raise BoardError(f"{facts.named} is too old", _NEW_FIRMWARE)
    if facts.port not in PORTS:
        raise BoardError(
            f"{facts.named}: we have no code for that port", "use a Pico W, an ESP32 or their like"
        )
    needed = _SMALL_HEAP_BYTES if small else _HEAP_BYTES
    needed = needed if facts.word_bytes == _WIDE_WORD_BYTES else needed * 2 // 3
    if facts.free_heap_bytes < needed:
        raise BoardError(
            f"the board has {facts.free_heap_bytes} bytes of memory free, {needed} are needed",
            "use a larger board" if small else "add --small, or use a larger board",
        )


def check_room(facts: Facts, sizes: list[int], freed: list[int]) -> None:
    """FullError where files of `sizes` do not fit once those of `freed` are gone.

    Each takes whole blocks; while one is written its old self is there, too.
    """
    blocks = sum(_blocks(size, facts.block_bytes) for size in sizes)
    given = sum(_blocks(size, facts.block_bytes) for size in freed)
    largest = max((_blocks(size, facts.block_bytes) for size in sizes), default=0)
    needed = (blocks + largest + _SPARE_BLOCKS) * facts.block_bytes
    free = facts.free_flash_bytes + given * facts.block_bytes
    if sizes and needed > free:
        raise FullError(f"{needed} bytes are needed, {free} are free")


def _blocks(size: int, block_bytes: int) -> int:
    return -(-size // block_bytes)
