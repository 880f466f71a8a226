"""Worker: wait for the feed, ask the outbox, send, remember the cursor. One an upstream."""

import asyncio
import random
import time
from collections.abc import Callable

import structlog

from gateway.errors import IntegrityError
from gateway.feed import Feed
from gateway.forward.outbox import ForwardOutbox, Send, Wait
from gateway.forward.upstream import Answer, Upstream, UpstreamError
from gateway.forward.view import LedgerView
from gateway.metrics import Metrics
from protocol import batch as batches

CURSOR = "cursor/upstream"  # state key
_GREETING_S = 10
_log = structlog.get_logger("forward")


def cursor_of(stored: bytes | None) -> int:
    """Where to go on; from the start where it was lost or damaged: the upstream knows better."""
    return int(stored) if stored and stored.isdigit() else 0


class ForwardWorker:
    """`remember` keeps a cursor for the next start; losing one costs a repeated batch.

    `on_cosigned` is told, with every answer, which note the upstream cosigned last, or "";
    `on_waiting` which damaged entry cannot be sent, and None once it can.
    """

    def __init__(
        self,
        ledger: LedgerView,
        upstream: Upstream,
        outbox: ForwardOutbox,
        feed: Feed,
        metrics: Metrics,
        *,
        remember: Callable[[str, bytes], None],
    ) -> None:
        self._ledger = ledger
        self._upstream = upstream
        self._outbox = outbox
        self._feed = feed
        self._metrics = metrics
        self._remember = remember
        self.on_cosigned: Callable[[str], None] = lambda note: None
        self.on_waiting: Callable[[IntegrityError | None], None] = lambda error: None
        self._greeted = False  # nothing is sent before the upstream said what it remembers
        self.reachable = False
        self.last_failure: str | None = None

    @property
    def cursor(self) -> int:
        """The upstream has every entry before this one."""
        return self._outbox.cursor

    def status(self) -> dict[str, object]:
        return {
            "cursor": self._outbox.cursor,
            "behind": self._feed.signed - self._outbox.cursor,
            "reachable": self.reachable,
            "last_failure": self.last_failure,
        }

    async def greet(self, limit_s: float) -> None:
        """Asks where to go on. RolledBackError where the upstream has seen more than we have."""
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._upstream.position(self._ledger.origin)
            self._ledger.check(answer)
        except TimeoutError:
            self._not_accepted(UpstreamError("unreachable", f"no answer in {limit_s} s"))
            return
        except UpstreamError as error:
            self._not_accepted(error)
            return
        self._greeted = True
        self._went_well(answer)

    async def run(self) -> None:
        while True:
            step = self._outbox.plan(_now_ms(), self._feed.signed)
            if isinstance(step, Wait) and step.until_ms is not None:
                await asyncio.sleep(max(step.until_ms - _now_ms(), 0) / 1000)
            elif not self._greeted:
                await self.greet(_GREETING_S)
            elif isinstance(step, Send):
                await self._send(step)
            else:
                await self._feed.signed_past(self._outbox.cursor)

    async def _send(self, send: Send) -> None:
        try:
            batch = await asyncio.to_thread(self._ledger.batch, send)
        except IntegrityError as error:
            self.on_waiting(error)
            self._not_accepted(UpstreamError(error.reason, str(error)))
            return
        self.on_waiting(None)
        try:
            answer = await self._upstream.push(batches.encode(batch))
            # it may remember a checkpoint that this batch did not bring
            await asyncio.to_thread(self._ledger.check, answer)
        except UpstreamError as error:
            self._not_accepted(error, len(batch.entries))
            return
        self._went_well(answer)

    def _went_well(self, answer: Answer) -> None:
        if not self.reachable:
            _log.info("upstream reached", next_index=answer.next_index)
        self.reachable, self.last_failure = True, None
        self._outbox.accepted(answer.next_index)
        self._metrics.peers.forward_cursor.set(answer.next_index)
        self._remember(CURSOR, str(answer.next_index).encode())
        self.on_cosigned(answer.cosigned)

    def _not_accepted(self, error: UpstreamError, sent: int = 0) -> None:
        self._metrics.peers.forward_failures.labels(error.reason).inc()
        if self._resynchronised(error):
            return
        if error.reason == "too-large" and self._outbox.too_large(sent):
            return
        jitter = random.random()  # noqa: S311  # spreads retries, guards nothing
        wait_ms = self._outbox.failed(_now_ms(), jitter, error.retry_after_ms)
        if self.last_failure != error.reason:
            _log.warning("not forwarded", reason=error.reason, detail=str(error), wait_ms=wait_ms)
        self.reachable, self.last_failure = error.reason != "unreachable", error.reason

    def _resynchronised(self, error: UpstreamError) -> bool:
        """Whether the refusal named another place to go on from; the same one again is none."""
        there, here = error.next_index, self._outbox.cursor
        if error.reason != "out-of-order" or there is None or there == here:
            return False
        if there > self._feed.size:
            return False
        self._outbox.accepted(there)
        return True


def _now_ms() -> int:
    return int(time.monotonic() * 1000)
