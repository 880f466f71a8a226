"""The way out of the virtual board: files of the host, opened before its flash becomes /.

`registers` are u32 numbers, shared with tests/board/registers.py: the same order.
"""

import json
import os
import struct

OPERATIONS, CUT_AT, TORN, STOPPED, SLEEP_MS, WATCHDOG_MS, FED = range(7)
RESET, DEEP_SLEEP, CUT = 1, 2, 3
_RTC_BYTES = 2048


class Registers:
    def __init__(self, path):
        self._file = open(path, "r+b")
        self._buffer = bytearray(4)

    def get(self, number):
        self._file.seek(4 * number)
        self._file.readinto(self._buffer)
        return struct.unpack("<I", self._buffer)[0]

    def set(self, number, value):
        self._file.seek(4 * number)
        self._file.write(struct.pack("<I", value))
        self._file.flush()


registers = Registers(os.getenv("BOARD_REGISTERS"))
_world = open(os.getenv("BOARD_WORLD"))
_rtc = open(os.getenv("BOARD_RTC"), "r+b")


def world():
    """What the test has put around the board: its network, its pins."""
    _world.seek(0)
    return json.loads(_world.read())


def rtc_memory():
    _rtc.seek(0)
    size = struct.unpack("<I", _rtc.read(4))[0]
    return _rtc.read(size)


def keep_rtc_memory(data):
    if len(data) > _RTC_BYTES:
        raise ValueError("buffer too long")
    _rtc.seek(0)
    _rtc.write(struct.pack("<I", len(data)) + data)
    _rtc.flush()


def stop(why):
    """At once: no finaliser, no `finally`, no flush. As when the power goes."""
    registers.set(STOPPED, why)
    os.system("kill -9 $PPID")
