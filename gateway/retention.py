"""RetentionWorker: asks the policy every second what is to be deleted, and sees to it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from gateway.errors import GatewayError
from gateway.ledger.ages import AgeClock
from gateway.ledger.retention import Retention, Situation
from gateway.pruner import Pruner
from gateway.space import Space
from gateway.store import Store
from protocol.prune import RETENTION

CLOCK = "retention/clock"  # state key: what the AgeClock of the last start knew
_EVERY_S = 1.0
_REMEMBER_S = 60
_log = structlog.get_logger("retention")


class Known(NamedTuple):
    """What the gateway knows right now. `time_ms` is 0 where its clock is not to be trusted.

    `wanted_bytes` are lacking on the disk: they are deleted, too, but only where max_bytes says
    that bodies may go for want of space.
    """

    size: int
    forwarded: int  # entries that the upstream has; all, where there is none
    time_ms: int
    wanted_bytes: int = 0


class RetentionWorker:
    """`remember` keeps the clock for the next start. Belongs to the event loop."""

    def __init__(
        self,
        store: Store,
        policy: Retention,
        pruner: Pruner,
        space: Space,
        *,
        known: Callable[[], Known],
        remember: Callable[[str, bytes], None],
    ) -> None:
        last, held = store.read(lambda reader: (reader.last(), reader.state(CLOCK)))
        self._ages = AgeClock.load(held, last.received_ms if last else None)
        self._store = store
        self._policy = policy
        self._pruner = pruner
        self._space = space
        self._known = known
        self._remember = remember
        self._remembered_s: float | None = None
        self._resting = False
        self._superseded: int | None = None
        self._failing: str | None = None

    async def run(self) -> None:
        while True:
            try:
                await self.tick(time.monotonic())
                self._failing = None
            except GatewayError as error:
                if self._failing != error.reason:
                    _log.warning("not pruned", reason=error.reason, detail=str(error))
                self._failing = error.reason
            await asyncio.sleep(_EVERY_S)

    def superseded(self, index: int) -> None:
        """Some entries from `index` on made up resources, and do no more."""
        self._superseded = index if self._superseded is None else min(self._superseded, index)

    async def tick(self, now_s: float) -> None:
        """Does whatever is due. Raises GatewayError; what was not done is due again."""
        wanted_bytes = self._known().wanted_bytes
        await self._delete(self._judge(now_s), wanted_bytes)
        await self._pruner.give_back(all_of_it=bool(wanted_bytes))
        await self._pruner.empty_log()
        await self._space.look(now_s, self._known().size)

    def status(self) -> dict[str, object]:
        """For /stats, of the last second."""
        last = self._pruner.last
        return {
            **self._space.status(),
            "resting_s": self._ages.resting_ms // 1000,
            "last_prune": last and {"recorded_at": last.recorded_at, **last.prune._asdict()},
        }

    def faults(self) -> Sequence[str]:
        """For /healthz: what will stop the gateway if nobody does anything."""
        if not self._policy.stuck:
            return []
        return ["the ledger nears retention.max_bytes, and no body is left that may be deleted"]

    def _judge(self, now_s: float) -> int | None:
        """The time to judge ages by, None where there is none now."""
        now_ms = self._known().time_ms
        judged = self._ages.tick(now_ms or None, int(now_s * 1000))
        resting = self._ages.resting_ms > 0
        if resting and not self._resting:
            _log.warning(
                "the clock is far from where we last knew it: no age is judged for a while",
                resting_s=self._ages.resting_ms // 1000,
            )
        last_s = self._remembered_s
        if last_s is None or resting != self._resting or now_s - last_s >= _REMEMBER_S:
            self._remember(CLOCK, self._ages.dump())
            self._remembered_s = now_s
        self._resting = resting
        return now_ms if judged else None

    async def _delete(self, judged_ms: int | None, wanted_bytes: int) -> None:
        deleted, cap_bytes = 0, None
        while True:
            used_bytes = (await asyncio.to_thread(self._store.sizes)).used_bytes
            if wanted_bytes and cap_bytes is None:
                cap_bytes = used_bytes - wanted_bytes
            known = self._known()
            now = Situation(
                judged_ms,
                known.size,
                known.forwarded,
                used_bytes,
                cap_bytes,
                self._pruner.pace.step_bytes,
            )
            if self._superseded is not None:
                self._policy.look_again(self._superseded)
                self._superseded = None
            turn = await asyncio.to_thread(
                self._store.read, lambda reader, now=now: self._policy.turn(reader, now)
            )
            if turn.over:
                break
            if turn.step is not None:
                done = await self._pruner.prune(turn.step, RETENTION)
                deleted += done.prune.count if done else 0
        if deleted:
            _log.info("pruned", bodies=deleted)
