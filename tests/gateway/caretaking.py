"""A desk with what retention needs around it: space, a pruner, and facts that a test sets."""

from gateway.config import RetentionConfig
from gateway.ledger.budget import Budget
from gateway.ledger.retention import DAY_MS, Retention
from gateway.pruner import Pruner
from gateway.retention import Known, RetentionWorker
from gateway.space import Space
from gateway.store import Selection
from tests.fakes import NOW_MS
from tests.gateway.desk import Desk

FREE_BYTES = 10**9
PLENTY = Budget(file_pages=10**6, log_bytes=10**9, soft_bytes=10**9, target_bytes=10**9)


class Caretaking(Desk):
    """`forwarded` is None where there is no upstream; `time_ms` 0 where no clock is trusted."""

    def __init__(self, store=None, config=None, budget=None):
        super().__init__(store)
        self.store = self.gateway.store
        self.metrics = self.gateway.metrics
        self.forwarded = None
        self.time_ms = NOW_MS
        self.monotonic_s = 0.0
        self.wanted_bytes = 0
        self.space = Space(self.store, budget, self.metrics, disk_free_bytes=lambda: FREE_BYTES)
        self.pruner = Pruner(self.store, self.sequencer, self.space, self.metrics)
        self.policy = Retention(config or RetentionConfig(), budget)
        self.worker = self.new_worker()

    def new_worker(self) -> RetentionWorker:
        """As after a restart, where nothing but the store was kept."""
        return RetentionWorker(
            self.store,
            self.policy,
            self.pruner,
            self.space,
            known=self.known,
            remember=self.sequencer.remember,
        )

    def known(self) -> Known:
        size = self.gateway.writer.size
        forwarded = size if self.forwarded is None else self.forwarded
        return Known(size, forwarded, self.time_ms, self.wanted_bytes)

    async def tick(self, *, days: float = 0, wall_days: float | None = None) -> None:
        """One second's work, so much later; `wall_days` where the wall clock says otherwise."""
        self.monotonic_s += days * 86_400
        self.time_ms += int((days if wall_days is None else wall_days) * DAY_MS)
        await self.worker.tick(self.monotonic_s)

    def left(self) -> list[int]:
        found = self.store.read(lambda r: r.bodies(Selection(0, 10**6), 10**6))
        return [index for index, _ in found]
