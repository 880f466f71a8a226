"""The board's flash: an image file, erased by blocks; a program can only clear what was erased.

The power can go at any operation: before it, or in its middle (a torn program, half an erase).
"""

import os

from host import CUT, CUT_AT, OPERATIONS, TORN, stop

_BLOCK_BYTES = 4096
_ERASED = b"\xff" * _BLOCK_BYTES
_BLOCK_COUNT, _BLOCK_SIZE, _SYNC, _ERASE = 4, 5, 3, 6  # vfs.AbstractBlockDev.ioctl


class FileFlash:
    def __init__(self, path, registers):
        self._file = open(path, "r+b")
        self._blocks = os.stat(path)[6] // _BLOCK_BYTES
        self._registers = registers

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        if self._is_cut():
            torn = self._registers.get(CUT_AT) * 37 % (len(buffer) + 1)
            self._cut(block * _BLOCK_BYTES + offset, bytes(memoryview(buffer)[:torn]))
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.write(buffer)

    def ioctl(self, operation, block):
        if operation == _BLOCK_COUNT:
            return self._blocks
        if operation == _BLOCK_SIZE:
            return _BLOCK_BYTES
        if operation == _SYNC:
            self._file.flush()
        if operation == _ERASE:
            if self._is_cut():
                done = self._registers.get(CUT_AT) * 131 % _BLOCK_BYTES
                self._cut(block * _BLOCK_BYTES, _ERASED[:done])
            self._file.seek(block * _BLOCK_BYTES)
            self._file.write(_ERASED)
        return 0

    def _is_cut(self):
        done = self._registers.get(OPERATIONS) + 1
        self._registers.set(OPERATIONS, done)
        return done == self._registers.get(CUT_AT)

    def _cut(self, start, half_done):
        if self._registers.get(TORN):
            self._file.seek(start)
            self._file.write(half_done)
        self._file.flush()
        stop(CUT)
