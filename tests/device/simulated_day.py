"""A board inside MicroPython whose clock is in the test's hands: a day passes in seconds.

Time jumps to the next moment that anybody waits for. The network is up or down; the flash is a
file of the host's under a real LittleFS, and counts what wears it.
"""

import asyncio
from asyncio import core

import vfs

from device.board.firmware import Firmware
from protocol.cbor import decimal

_BLOCK_BYTES = 4096
_TICKS = 1 << 30


class Board(Firmware):
    """`peer` answers datagrams while `is_up`; `lost` counts those of the outage."""

    name = "simulated"

    def __init__(self, peer):
        super().__init__()
        self.now_ms = _TICKS - 5000  # ticks wrap around early on
        self.is_up = True
        self.lost = 0
        self.peer = peer
        self._timers = []  # [when, event, whether it was the time that set it], some

    def ticks_ms(self):
        return self.now_ms % _TICKS

    def ticks_diff(self, later, earlier):
        return (later - earlier + _TICKS // 2) % _TICKS - _TICKS // 2

    async def sleep_ms(self, duration_ms):
        if duration_ms:
            await self.wait(asyncio.Event(), duration_ms)

    def event(self):
        return asyncio.Event()

    async def wait(self, event, timeout_ms):
        timer = [self.now_ms + timeout_ms, event, False]
        self._timers.append(timer)
        await event.wait()
        if timer[2]:
            event.clear()
            return False
        self._timers.remove(timer)
        return True

    async def settle(self):
        """All happens that can at this moment."""
        await asyncio.sleep_ms(0)
        while core._task_queue.peek() is not None:
            await asyncio.sleep_ms(0)

    async def pass_time(self, until_ms):
        """Everything happens that does until then, each at its moment."""
        await self.settle()
        while self._timers:
            timer = min(self._timers, key=_when)
            if timer[0] > until_ms:
                break
            self._timers.remove(timer)
            self.now_ms = max(self.now_ms, timer[0])
            timer[2] = True
            timer[1].set()
            await self.settle()
        self.now_ms = until_ms

    def open_udp(self, host, port):
        return Udp(self)

    def temperature(self):
        return decimal(2000 + self.now_ms // 1000 % 500, -2)

    def unique_id(self):
        return b"simulated"

    def reset(self):
        raise SystemExit("reset")


def _when(timer):
    return timer[0]


class Udp:
    def __init__(self, board):
        self.lost = 0
        self.limit_bytes = 0
        self._board = board
        self._waiting = []
        self._come = asyncio.Event()

    def send(self, datagram):
        if self._board.is_up:
            self._waiting += self._board.peer(datagram)
            self._come.set()
        else:
            self._board.lost += 1
        return True

    async def receive(self):
        while not self._waiting:
            self._come.clear()
            await self._come.wait()
        return self._waiting.pop(0)[: self.limit_bytes]

    def close(self):
        pass


class Flash:
    """Blocks of a file; `erases` of each, and `programmed` bytes in all."""

    def __init__(self, path, blocks):
        with open(path, "wb") as file:
            for _ in range(blocks):
                file.write(b"\xff" * _BLOCK_BYTES)
        self._file = open(path, "r+b")  # noqa: SIM115 (as long as the board lives)
        self.erases = bytearray(2 * blocks)
        self.programmed = 0
        self._blocks = blocks

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK_BYTES + offset)
        self._file.write(buffer)
        self.programmed += len(buffer)

    def ioctl(self, operation, block):
        if operation == 4:
            return self._blocks
        if operation == 5:
            return _BLOCK_BYTES
        if operation == 6:
            at = 2 * block
            count = int.from_bytes(self.erases[at : at + 2], "big") + 1
            self.erases[at : at + 2] = count.to_bytes(2, "big")
        return 0

    def counts(self):
        """One by one: after a day the heap may have no room for all in one piece."""
        for at in range(0, 2 * self._blocks, 2):
            yield int.from_bytes(self.erases[at : at + 2], "big")

    def mount(self, root, program_bytes):
        vfs.VfsLfs2.mkfs(self, progsize=program_bytes)
        self.erases = bytearray(2 * self._blocks)
        self.programmed = 0
        vfs.mount(vfs.VfsLfs2(self, progsize=program_bytes), root)
