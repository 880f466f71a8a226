"""A sequencer on a running loop over a store that can be slow, for the tests of it."""

import asyncio
import threading

from gateway.config import DiskConfig, LedgerConfig
from gateway.feed import Feed
from gateway.ledger import fsck
from gateway.sequencer import Sequencer
from gateway.store.memory import MemoryStore
from gateway.watch import Watch
from tests.fakes import ORIGIN, FakeDevice, FakeGateway, FakeReserve

DEVICE = FakeDevice()
LIMIT_S = 10


class SlowStore(MemoryStore):
    """A disk that syncs only when it is let: each commit waits for `let`."""

    def __init__(self):
        super().__init__()
        self.let = threading.Semaphore(0)
        self.syncing = threading.Semaphore(0)
        self.slow = False
        self.commits = 0

    def transact(self, work):
        self.commits += 1
        if self.slow:
            self.syncing.release()
            self.let.acquire(timeout=LIMIT_S)
        return super().transact(work)


class Desk:
    """A sequencer over a fake gateway, and what it called `failed` with."""

    def __init__(self, store=None, **limits):
        self.gateway = FakeGateway(store, **limits)
        self.feed = Feed()
        self.failed = []
        self.has_failed = asyncio.Event()
        self.reserve = FakeReserve()
        self.watch = Watch(self.gateway.writer, self.reserve, DiskConfig(), self.gateway.metrics)
        self.sequencer = Sequencer(
            self.gateway.writer,
            self.feed,
            self.gateway.metrics,
            LedgerConfig(**limits),
            self.watch,
            self._on_failure,
        )

    def _on_failure(self, error):
        self.failed.append(error)
        self.has_failed.set()

    def submit(self, *numbers, value=21):
        return [self.sequencer.submit(DEVICE.submission(n, value=value)) for n in numbers]

    async def stop(self):
        await self.sequencer.stop()
        await asyncio.sleep(0)  # what the thread has said last
        assert fsck.check(self.gateway.store, ORIGIN, self.gateway.writer.note).valid
