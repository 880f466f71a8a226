"""Sequencer: the only writer. Gathers submissions, commits them together, answers each.

Self-clocking group commit: while one transaction syncs, the next batch gathers; a lone
submission is committed at once. One thread owns the log and the store's writing side; the
event loop owns the queue's entrance and the futures.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from gateway.config import LedgerConfig
from gateway.errors import BusyError, GatewayError, StoreFailedError
from gateway.feed import Feed
from gateway.ledger.batch import Kept, Submission
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.watch import Watch

_IDLE_MS = 1000  # how often an idle writer looks up, for its heartbeat
_MAX_ERRANDS = 16
Result = TypeVar("Result")


class _Waiting(NamedTuple):
    submission: Submission
    future: "asyncio.Future[Kept]"


class _Errand(NamedTuple):
    work: Callable[[LedgerWriter], Any]
    future: "asyncio.Future[Any]"


class Sequencer:
    """`submit` from the event loop; `failed` is called there if the writer has to stop."""

    def __init__(
        self,
        writer: LedgerWriter,
        feed: Feed,
        metrics: Metrics,
        config: LedgerConfig,
        watch: Watch,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._writer = writer
        self._watch = watch
        self._feed = feed
        self._metrics = metrics
        self._config = config
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()  # guarded by _changed
        self._errands: deque[_Errand] = deque()  # guarded by _changed
        self._states: dict[str, bytes] = {}  # guarded by _changed
        self._stopping = False  # guarded by _changed
        self.heartbeat = time.monotonic()  # written by the thread, read by anyone
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._thread.start()

    def submit(self, submission: Submission) -> "asyncio.Future[Kept]":
        """Resolves after the commit; Busy- or Store*Error where nothing was done."""
        self._watch.admit()
        with self._changed:
            if self._stopping or len(self._queue) >= self._config.max_pending:
                raise BusyError(f"{len(self._queue)} submissions are waiting for the writer")
            future: asyncio.Future[Kept] = self._loop.create_future()
            self._queue.append(_Waiting(submission, future))
            self._changed.notify()
        return future

    def run(self, work: Callable[[LedgerWriter], Result]) -> "asyncio.Future[Result]":
        """`work(writer)` between two batches, on the writer's thread; resolves with its result.

        For rare things that need the ledger to themselves; what it raises is the caller's.
        """
        with self._changed:
            if self._stopping or len(self._errands) >= _MAX_ERRANDS:
                raise BusyError(f"{len(self._errands)} errands are waiting for the writer")
            future: asyncio.Future[Result] = self._loop.create_future()
            self._errands.append(_Errand(work, future))
            self._changed.notify()
        return future

    def remember(self, key: str, value: bytes) -> None:
        """Puts a small fact into the next transaction; lost with a crash, so only for hints."""
        with self._changed:
            self._states[key] = value

    @property
    def pending(self) -> int:
        return len(self._queue)

    async def stop(self) -> None:
        """Commits what is queued, signs a last checkpoint, and ends the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)

    # --- the writer thread ------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:
            with self._changed:
                self._stopping = True  # nothing more is taken in
                waiting, errands = list(self._queue), list(self._errands)
                self._queue.clear()
                self._errands.clear()
            self._refuse(waiting)
            for errand in errands:
                self._loop.call_soon_threadsafe(_settle_one, errand.future, _stopped())
            self._loop.call_soon_threadsafe(self._failed, error)

    def _turn(self) -> bool:
        batch, states, stopping = self._take()
        self.heartbeat = time.monotonic()
        self._run_errand()
        if batch or (stopping and states):
            self._commit(batch, states)
        ending = stopping and not self._queue and not self._errands
        self._watch.tick(time.monotonic())
        self._writer.sign_if_due(time.monotonic(), force=ending)
        self._loop.call_soon_threadsafe(self._publish)
        return not ending

    def _take(self) -> tuple[list[_Waiting], dict[str, bytes], bool]:
        with self._changed:
            if not self._queue and not self._errands and not self._stopping:
                wait_ms = self._writer.due_in_ms(time.monotonic(), _IDLE_MS)
                self._changed.wait(wait_ms / 1000)
            if self._queue and self._config.delay_ms and not self._stopping:
                self._changed.wait_for(lambda: self._stopping, self._config.delay_ms / 1000)
            count = min(len(self._queue), self._config.max_batch)
            batch = [self._queue.popleft() for _ in range(count)]
            states: dict[str, bytes] = {}
            if batch or self._stopping:  # else they wait for one
                states, self._states = self._states, states
            return batch, states, self._stopping

    def _commit(self, batch: list[_Waiting], states: dict[str, bytes]) -> None:
        outcomes: list[Kept | GatewayError]
        started = time.monotonic()
        try:
            outcomes = self._writer.commit([waiting.submission for waiting in batch], states)
        except GatewayError as error:
            outcomes = [error] * len(batch)
            self._watch.refused(len(batch))
            self._watch.tick(time.monotonic())  # whoever hears of it may ask again at once
        except BaseException:
            self._refuse(batch)
            raise
        self._metrics.commit_seconds.observe(time.monotonic() - started)
        self._loop.call_soon_threadsafe(_settle, batch, outcomes)

    def _run_errand(self) -> None:
        with self._changed:
            errand = self._errands.popleft() if self._errands else None
        if errand is None:
            return
        try:
            result = errand.work(self._writer)
        except GatewayError as error:
            self._watch.tick(time.monotonic())
            self._loop.call_soon_threadsafe(_settle_one, errand.future, error)
        except BaseException:
            self._loop.call_soon_threadsafe(_settle_one, errand.future, _stopped())
            raise
        else:
            self._loop.call_soon_threadsafe(_settle_one, errand.future, result)

    def _refuse(self, batch: list[_Waiting]) -> None:
        outcomes: list[Kept | GatewayError] = [_stopped()]
        self._loop.call_soon_threadsafe(_settle, batch, outcomes * len(batch))

    # --- back on the event loop -------------------------------------------------------------

    def _publish(self) -> None:
        size, signed = self._writer.size, self._writer.signed_size
        self._metrics.entries.set(size)
        self._metrics.signed.set(signed)
        self._metrics.pending.set(len(self._queue))
        self._feed.publish(size=size, signed=signed)


def _settle(batch: list[_Waiting], outcomes: list[Kept | GatewayError]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        _settle_one(waiting.future, outcome)


def _settle_one(future: "asyncio.Future[Any]", outcome: object) -> None:
    if future.done():  # whoever asked has gone
        return
    if isinstance(outcome, GatewayError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _stopped() -> StoreFailedError:
    return StoreFailedError("the writer has stopped")
