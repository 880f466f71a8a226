"""A board whose time, network and dice are in the test's hands: nothing sleeps, no sockets."""

import asyncio
import heapq

from device.outbox import Outbox
from protocol.cbor import decimal
from tests.oscore_vectors import cipher

_SETTLE_TURNS = 30
OPENED = []  # outboxes of the running test, which the conftest closes after it


def open_outbox(board, folder, capacity_bytes=16_384):
    OPENED.append(Outbox(board, str(folder), capacity_bytes, mode="always"))
    return OPENED[-1]


class FakeUdp:
    """One end of a wire. `script` says of each datagram sent whether it arrives; then all do."""

    def __init__(self, peer, script):
        self.sent = []
        self.delivered = []
        self.lost = 0
        self.limit_bytes = 0
        self.closed = False
        self._peer = peer
        self._script = script
        self._incoming = asyncio.Queue()

    def send(self, datagram):
        self.sent.append(datagram)
        if self._script and not self._script.pop(0):
            self.lost += 1
            return True
        for answer in self._peer(datagram):
            self.deliver(answer)
        return True

    def deliver(self, datagram):
        """A datagram arrives from the network."""
        if not self._script or self._script.pop(0):
            self.delivered.append(datagram)
            self._incoming.put_nowait(datagram)

    async def receive(self):
        return (await self._incoming.get())[: self.limit_bytes]

    def close(self):
        self.closed = True


class FakeBoard:
    """`advance` moves time; `peer` answers datagrams; `sockets` are those opened so far."""

    name = "fake"

    def __init__(self, peer=lambda datagram: [], script=()):
        self.now_ms = 1000
        self.sockets = []
        self.unreachable = False
        self.syncs = 0
        self.flash_fails = False
        self.degrees = decimal(2150, -2)  # None: the thermometer fails
        self.wired = None  # tests.device.parts.Wiring, where there is one
        self.slept_ms = []
        self.memory = None  # b"", where some outlives deep sleep
        self.woke = False
        self._peer = peer
        self._script = list(script)
        self._timers = []
        self._counter = 0

    def ticks_ms(self):
        return self.now_ms & 0x3FFFFFFF

    def ticks_diff(self, later, earlier):
        return ((later - earlier + 0x20000000) & 0x3FFFFFFF) - 0x20000000

    async def sleep_ms(self, duration_ms):
        future = asyncio.get_running_loop().create_future()
        self._counter += 1
        heapq.heappush(self._timers, (self.now_ms + duration_ms, self._counter, future))
        await future

    def event(self):
        return asyncio.Event()

    async def wait(self, event, timeout_ms):
        tasks = [asyncio.create_task(event.wait()), asyncio.create_task(self.sleep_ms(timeout_ms))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return event.is_set()
        finally:
            for task in tasks:
                task.cancel()

    async def advance(self, duration_ms):
        """Lets everything happen that does in the next `duration_ms`."""
        end_ms = self.now_ms + duration_ms
        await self._settle()
        while self._timers and self._timers[0][0] <= end_ms:
            due_ms, _, future = heapq.heappop(self._timers)
            if not future.done():
                self.now_ms = max(self.now_ms, due_ms)
                future.set_result(None)
                await self._settle()
        self.now_ms = end_ms

    async def _settle(self):
        for _ in range(_SETTLE_TURNS):
            await asyncio.sleep(0)

    def open_udp(self, host, port):
        if self.unreachable:
            raise OSError(-2)
        self.sockets.append(FakeUdp(self._peer, self._script))
        return self.sockets[-1]

    def random_bits(self, bits):
        return 0

    def random_bytes(self, size):
        self._counter += 1
        return self._counter.to_bytes(size, "big")

    def has_aes(self):
        return True

    def aead(self, key):
        return cipher(key)

    def temperature(self):
        if self.degrees is None:
            raise OSError(5)
        return self.degrees

    def wiring(self):
        return self.wired

    def watchdog(self, timeout_ms):
        self.fed_ms = []
        return lambda: self.fed_ms.append(self.now_ms)

    def reset_cause(self):
        return "power-on"

    def heap_bytes(self):
        return 0

    def rest(self):
        return self

    def deep_sleep(self, duration_ms):
        self.slept_ms.append(duration_ms)
        self.now_ms += duration_ms
        self.woke = True

    def power_cut(self):
        self.woke = False
        self.memory = None if self.memory is None else b""

    def woke_from_sleep(self):
        return self.woke

    def retained(self):
        return self.memory

    def retain(self, data):
        if self.memory is not None:
            self.memory = data

    def sync(self, file):
        if self.flash_fails:
            raise OSError(5)
        file.flush()
        self.syncs += 1
