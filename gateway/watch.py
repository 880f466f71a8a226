"""Watch: keeps an eye on the disk, and sees a store that is full or fails through it.

What to do is `ledger.trouble`'s to say. Here it is done: on the writer's thread, which looks
once a second, and at once where a transaction failed.
"""

import time
from typing import Protocol

import structlog

from gateway.config import DiskConfig
from gateway.errors import GatewayError
from gateway.ledger import trouble
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.ledger.trouble import Room, Trouble
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.store.reserve import Free
from protocol import fault as faults
from protocol.fault import FAULT, STORE_FULL, Fault

_EVERY_S = 1.0
_MAX_EVENTS = 8  # a look; what is left is for the next
_NOBODY = ""  # the source of what the gateway itself puts into the ledger
_PROBE = "probe"  # state key: written where nothing else is, to see whether it can be
_log = structlog.get_logger("disk")


class Reserving(Protocol):
    """See gateway.store.reserve."""

    held: bool

    def take(self) -> bool: ...

    def release(self) -> None: ...

    def free(self) -> Free: ...


class Watch:
    """`admit` belongs to the event loop, `tick` and `refused` to the writer's thread.

    `wanted_bytes` are to be freed on the disk, by whoever may delete something; anyone reads it.
    """

    def __init__(
        self,
        writer: LedgerWriter,
        reserve: Reserving,
        config: DiskConfig,
        metrics: Metrics,
    ) -> None:
        self._writer = writer
        self._reserve = reserve
        self._config = config
        self._metrics = metrics
        self._trouble = Trouble(config)
        self._failure: GatewayError | None = None  # the writer's last one that was seen to
        self._next_s = float("-inf")
        self._room: Room | None = None
        self._turned_away = 0  # counted by the event loop
        self._failed = 0  # counted by the writer's thread
        self._told = 0  # of both, what is recorded
        self._closed = False  # as of the last look
        self.wanted_bytes = 0
        reserve.take()

    def admit(self) -> None:
        """StoreFull- or StoreFailedError while nothing can be kept; nothing was done then."""
        if not self._closed:
            return
        refusal = self._trouble.refusal(time.monotonic())
        if refusal is not None:  # it may be over since
            self._turned_away += 1
            raise refusal

    def refused(self, count: int) -> None:
        """So many submissions were in a transaction that failed."""
        self._failed += count

    def tick(self, now_s: float) -> None:
        """Cheap where the last look was less than a second ago and nothing has failed since."""
        failure = self._writer.failure
        if now_s < self._next_s and failure is self._failure:
            return
        self._next_s = now_s + _EVERY_S
        room = self._room = self._measure()
        event, detail = None, ""
        if failure is not None and failure is not self._failure:
            event, detail = failure.reason, str(failure)
        self._failure = failure
        for _ in range(_MAX_EVENTS):
            event = event or self._trouble.look(room, now_s)
            if event is None:
                break
            event = self._see_to(event, now_s, detail or _described(room, self._config))
            room = room._replace(reserved=self._reserve.held)
        self.wanted_bytes = self._wanted(room)
        self._show(self._trouble.state, detail)

    def status(self) -> dict[str, object]:
        """For /stats; of the last second."""
        room = self._room
        return {
            "state": self._trouble.state,
            "free_bytes": room and room.free_bytes,
            "reserved": self._reserve.held,
            "refused": self._turned_away + self._failed,
        }

    def faults(self) -> list[str]:
        """For /healthz, while it lasts."""
        refusal = self._trouble.refusal(time.monotonic())
        if refusal is None:
            return []
        refused = self._turned_away + self._failed - self._told
        return [f"{refusal.reason}: {refusal}; {refused} submissions were refused meanwhile"]

    def _show(self, state: str, detail: str) -> None:
        closed = state != trouble.OK
        if detail or closed != self._closed:
            _log.warning("nothing is kept" if closed else "all is kept", store=state, detail=detail)
        self._closed = closed

    def _measure(self) -> Room:
        try:
            free = self._reserve.free()
        except GatewayError:  # then a write will tell, and is tried
            free = Free(self._config.soft_free_bytes, None)
        self._metrics.space.disk_free.set(free.disk_bytes)
        return Room(free.disk_bytes, free.ledger_bytes, self._reserve.held)

    def _see_to(self, event: str, now_s: float, detail: str) -> str | None:
        """Does what is to be done about `event`; what came of it, if anything."""
        outcome: str | None = None
        for action in self._trouble.happened(event, now_s, detail):
            if action == trouble.RELEASE:
                self._reserve.release()
            elif action == trouble.RESERVE and not self._reserve.take():
                return STORE_FULL
            elif action == trouble.RECORD:
                outcome = self._record(now_s)
        return outcome

    def _record(self, now_s: float) -> str:
        """Writes what is due, or just something: whether that goes is what counts."""
        due = self._trouble.due(now_s, self._turned_away + self._failed - self._told)
        try:
            self._writer.commit(
                [Submission(_draft(fault)) for fault in due], {} if due else {_PROBE: b""}
            )
        except GatewayError as error:
            self._failure = error
            return error.reason
        self._failure = None
        self._trouble.recorded(due, now_s)
        self._told += sum(fault.refused or 0 for fault in due)
        return trouble.KEPT

    def _wanted(self, room: Room) -> int:
        wanted = self._config.soft_free_bytes - room.free_bytes
        if self._trouble.state == trouble.FULL:
            wanted = max(wanted, self._trouble.wanted_bytes(room))
        return max(wanted, 0)


def _draft(fault: Fault) -> Draft:
    return Draft(FAULT, _NOBODY, faults.encode(fault))


def _described(room: Room, config: DiskConfig) -> str:
    if not room.reserved:
        return f"{room.free_bytes} bytes are free, too few to reserve {config.reserve_bytes}"
    return f"{room.free_bytes} bytes are free, hard_free_bytes is {config.hard_free_bytes}"
