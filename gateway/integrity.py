"""Integrity: entries that are not what was committed, as readers and the forwarder find them.

Each is told in the log once, in the ledger once, and to whoever asks for as long as it is so.
There is room for some: what is found beyond them is counted, and told when it is found later.
"""

import asyncio
from collections.abc import Callable

import structlog

from gateway.errors import GatewayError, IntegrityError
from gateway.ledger import damage
from gateway.ledger.batch import Kept, Submission
from gateway.ledger.damage import TREE
from gateway.metrics import Metrics

MAX_KNOWN = 100  # entries, and as many faults in the ledger before somebody repairs something
_SHOWN = 10
_log = structlog.get_logger("integrity")


class Integrity:
    """Belongs to the event loop. `submit` puts an entry into the ledger, or raises."""

    def __init__(
        self, metrics: Metrics, submit: Callable[[Submission], "asyncio.Future[Kept]"]
    ) -> None:
        self._metrics = metrics
        self._submit = submit
        self._known: dict[int, str] = {}
        self._beyond = 0  # times that another one was found while there was no room
        self._recorded: set[int] = set()
        self._waiting: IntegrityError | None = None

    def found(self, error: IntegrityError, *, door: str = "http") -> None:
        """Somebody asked for it, and was refused."""
        self._metrics.outcomes.labels(door, error.reason).inc()
        self._remember(error)

    def sound(self, index: int) -> None:
        """It was read, and is what was committed."""
        if self._known and self._known.pop(index, None) is not None:
            self._recorded.discard(index)
            if not self._known:
                self._beyond = 0
            self._show()

    def waiting(self, error: IntegrityError | None) -> None:
        """Forwarding has stopped there; None: it goes on."""
        if error is not None:
            self._remember(error)
        elif self._waiting is not None:
            self.sound(self._waiting.index)
        self._waiting = error

    def status(self) -> dict[str, object]:
        """For /stats."""
        known = sorted(index for index in self._known if index != TREE)
        waits_at = self._waiting.index if self._waiting else None
        return {
            "damaged": known[:_SHOWN],
            "known": len(self._known),
            "found_beyond": self._beyond,
            "forwarding_waits_at": waits_at,
        }

    def faults(self) -> list[str]:
        """For /healthz."""
        told = [what for _, what in sorted(self._known.items())]
        more = len(told) - _SHOWN
        shown = told[:_SHOWN] + ([f"and {more} more entries"] if more > 0 else [])
        if self._beyond:
            shown.append(f"and others, found {self._beyond} times")
        if self._waiting is not None:
            shown.append(f"forwarding waits at entry {self._waiting.index}: {self._waiting.what}")
        return shown

    def _remember(self, error: IntegrityError) -> None:
        key = error.index if error.one else TREE
        if key not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._count_beyond()
                return
            _log.error("not what was committed", index=error.index, what=error.what)
        self._known[key] = str(error)
        self._show()
        if key not in self._recorded:
            self._record(key)

    def _count_beyond(self) -> None:
        if not self._beyond:
            _log.error("more entries are not what was committed", known=len(self._known))
        self._beyond += 1

    def _record(self, key: int) -> None:
        try:
            kept = self._submit(damage.record(key))
        except GatewayError:
            return  # the next one who asks for the entry reminds us
        self._recorded.add(key)
        kept.add_done_callback(lambda kept: self._was_recorded(key, kept))

    def _was_recorded(self, key: int, kept: "asyncio.Future[Kept]") -> None:
        if kept.cancelled() or kept.exception() is not None:
            self._recorded.discard(key)

    def _show(self) -> None:
        self._metrics.damaged.set(len(self._known))
