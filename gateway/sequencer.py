"""Sequencer: the only writer. Gathers submissions, commits them together, answers each.

Self-clocking group commit: while one transaction syncs, the next batch gathers; a lone
submission is committed at once. One thread owns the log and the store's writing side; the
event loop owns the queue's entrance and the futures.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import structlog

from gateway.config import LedgerConfig
from gateway.errors import BusyError, GatewayError, StoreFailedError
from gateway.feed import Feed
from gateway.ledger.batch import Kept, Submission
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.watch import Watch

_IDLE_MS = 1000  # how often an idle writer looks up, for its heartbeat
_MAX_ERRANDS = 16
_log = structlog.get_logger("sequencer")
Result = TypeVar("Result")


class _Group(NamedTuple):
    """Submissions that came together, and are committed together and settled together."""

    submissions: Sequence[Submission]
    settle: Callable[[Sequence[Kept | GatewayError]], None]


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
        self._queue: deque[_Group] = deque()  # guarded by _changed
        self._queued = 0  # submissions in it; guarded by _changed
        self._errands: deque[_Errand] = deque()  # guarded by _changed
        self._states: dict[str, bytes] = {}  # guarded by _changed
        self._stopping = False  # guarded by _changed
        self.heartbeat = time.monotonic()  # written by the thread, read by anyone
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
        self._thread.start()

    def submit(self, submission: Submission) -> "asyncio.Future[Kept]":
        """Resolves after the commit; Busy- or Store*Error where nothing was done."""
        future: asyncio.Future[Kept] = self._loop.create_future()
        self.submit_all([submission], lambda outcomes: _settle(future, outcomes[0]))
        return future

    def submit_all(
        self,
        submissions: Sequence[Submission],
        settle: Callable[[Sequence[Kept | GatewayError]], None],
    ) -> None:
        """As `submit`, all in one transaction; `settle` gets the outcomes in their order."""
        self._watch.admit()
        with self._changed:
            if self._stopping or self._queued + len(submissions) > self._config.max_pending:
                raise BusyError(f"{self._queued} submissions are waiting for the writer")
            self._queued += len(submissions)
            self._queue.append(_Group(submissions, settle))
            self._changed.notify()

    @property
    def room(self) -> int:
        """How many more submissions may wait."""
        return self._config.max_pending - self._queued

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
        return self._queued

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
                self._loop.call_soon_threadsafe(_settle, errand.future, _stopped())
            self._loop.call_soon_threadsafe(self._failed, error)

    def _turn(self) -> bool:
        groups, states, stopping = self._take()
        self.heartbeat = time.monotonic()
        self._run_errand()
        if groups or (stopping and states):
            self._commit(groups, states)
        ending = stopping and not self._queue and not self._errands
        self._watch.tick(time.monotonic())
        self._writer.sign_if_due(time.monotonic(), force=ending)
        self._loop.call_soon_threadsafe(self._publish)
        return not ending

    def _take(self) -> tuple[list[_Group], dict[str, bytes], bool]:
        with self._changed:
            if not self._queue and not self._errands and not self._stopping:
                wait_ms = self._writer.due_in_ms(time.monotonic(), _IDLE_MS)
                self._changed.wait(wait_ms / 1000)
            if self._queue and self._config.delay_ms and not self._stopping:
                self._changed.wait_for(lambda: self._stopping, self._config.delay_ms / 1000)
            groups, count = [], 0
            while self._queue and (
                not count or count + len(self._queue[0].submissions) <= self._config.max_batch
            ):
                groups.append(self._queue.popleft())
                count += len(groups[-1].submissions)
            self._queued -= count
            states: dict[str, bytes] = {}
            if groups or self._stopping:  # else they wait for one
                states, self._states = self._states, states
            return groups, states, self._stopping

    def _commit(self, groups: list[_Group], states: dict[str, bytes]) -> None:
        outcomes: list[Kept | GatewayError]
        submissions = [submission for group in groups for submission in group.submissions]
        started = time.monotonic()
        try:
            outcomes = self._writer.commit(submissions, states)
        except GatewayError as error:
            outcomes = [error] * len(submissions)
            self._watch.refused(len(submissions))
            self._watch.tick(time.monotonic())  # whoever hears of it may ask again at once
        except BaseException:
            self._refuse(groups)
            raise
        self._metrics.commit_seconds.observe(time.monotonic() - started)
        self._loop.call_soon_threadsafe(_settle_all, groups, outcomes)

    def _run_errand(self) -> None:
        with self._changed:
            errand = self._errands.popleft() if self._errands else None
        if errand is None:
            return
        try:
            result = errand.work(self._writer)
        except GatewayError as error:
            self._watch.tick(time.monotonic())
            self._loop.call_soon_threadsafe(_settle, errand.future, error)
        except BaseException:
            self._loop.call_soon_threadsafe(_settle, errand.future, _stopped())
            raise
        else:
            self._loop.call_soon_threadsafe(_settle, errand.future, result)

    def _refuse(self, groups: list[_Group]) -> None:
        outcomes: list[Kept | GatewayError] = [_stopped()]
        outcomes *= sum(len(group.submissions) for group in groups)
        self._loop.call_soon_threadsafe(_settle_all, groups, outcomes)

    # --- back on the event loop -------------------------------------------------------------

    def _publish(self) -> None:
        size, signed = self._writer.size, self._writer.signed_size
        self._metrics.entries.set(size)
        self._metrics.signed.set(signed)
        self._metrics.pending.set(self._queued)
        self._feed.publish(size=size, signed=signed)


def _settle_all(groups: list[_Group], outcomes: Sequence[Kept | GatewayError]) -> None:
    start = 0
    for group in groups:
        stop = start + len(group.submissions)
        try:
            group.settle(outcomes[start:stop])
        except Exception as error:  # the others have to hear all the same: theirs is done, too
            _log.error("an outcome was not told", error=repr(error))
        start = stop


def _settle(future: "asyncio.Future[Any]", outcome: object) -> None:
    if future.done():  # whoever asked has gone
        return
    if isinstance(outcome, GatewayError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _stopped() -> StoreFailedError:
    return StoreFailedError("the writer has stopped")
