"""Pruner: deletes bodies while the gateway goes on, and gives the space they took back.

Everything it does is an errand of the writer's thread, and after each it leaves that alone
for as long as it took: what devices sent in the meantime is committed between two of them.
"""

import asyncio
import functools
import time
from collections.abc import Callable
from typing import TypeVar

from gateway.ledger import pruning
from gateway.ledger.pruning import Done, Pace
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.sequencer import Sequencer
from gateway.space import Space
from gateway.store import PAGE_BYTES, Selection, Store
from protocol.prune import REDACTION

_RELEASE_PAGES = 64  # a step of giving back
# Free space that stays in the file: what comes in next needs it at once.
_CUSHION_BYTES, _CUSHION_SHARE = 1 << 20, 16
_Result = TypeVar("_Result")


class Pruner:
    """Belongs to the event loop. Every method may raise Store*Error or BusyError.

    `last` is the last step taken since the start; `pace` says how large the next one may be.
    """

    def __init__(self, store: Store, sequencer: Sequencer, space: Space, metrics: Metrics) -> None:
        self.last: Done | None = None
        self.pace = Pace()
        self._store = store
        self._sequencer = sequencer
        self._space = space
        self._metrics = metrics
        self._log_to_empty = True  # a redaction may have been cut short by a crash
        self._emptying = asyncio.Lock()

    async def prune(self, step: Selection, why: str) -> Done | None:
        """On stable storage on return; None where there was nothing left to delete."""
        prune = functools.partial(self._prune, step, why)
        self._log_to_empty |= why == REDACTION  # before: whatever stops us, it may be kept
        done, freed_bytes = await self._errand(prune)
        if done is None:
            return None
        self.last = done
        self._space.freed(freed_bytes)
        self._metrics.space.pruned_bodies.labels(why).inc(done.prune.count)
        self._metrics.space.pruned_bytes.labels(why).inc(done.prune.size_bytes)
        return done

    async def give_back(self, *, all_of_it: bool = False) -> None:
        """Free pages to the disk, but for a cushion."""
        sizes = await asyncio.to_thread(self._store.sizes)
        cushion = 0 if all_of_it else max(_CUSHION_BYTES, sizes.used_bytes // _CUSHION_SHARE)
        excess = (sizes.file_bytes - sizes.used_bytes - cushion) // PAGE_BYTES
        while excess > 0:
            step = functools.partial(self._release, min(excess, _RELEASE_PAGES))
            released = await self._errand(step)
            excess = excess - released if released else 0
            self._log_to_empty = True  # the file is shorter only then

    async def empty_log(self) -> bool:
        """Whether nothing redacted is left in the log. Where not, somebody reads it: try again."""
        async with self._emptying:  # one that is on its way has not succeeded yet
            if not self._log_to_empty:
                return True
            self._log_to_empty = False  # what is redacted from now on comes after this errand
            emptied = False
            try:
                emptied = await self._errand(lambda _: self._store.empty_log())
            finally:
                self._log_to_empty |= not emptied
            return emptied

    def _prune(self, step: Selection, why: str, writer: LedgerWriter) -> tuple[Done | None, int]:
        started = time.monotonic()
        before = self._store.used_bytes()
        done = pruning.commit(writer, step, why)
        freed_bytes = before - self._store.used_bytes()
        self.pace.took(time.monotonic() - started)
        return done, freed_bytes

    def _release(self, pages: int, _: LedgerWriter) -> int:
        return self._store.release(pages)

    async def _errand(self, work: Callable[[LedgerWriter], _Result]) -> _Result:
        started = time.monotonic()
        result = await self._sequencer.run(work)
        await asyncio.sleep(time.monotonic() - started)
        return result
