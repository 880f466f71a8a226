"""Integrity: entries that are not what was committed, as readers and the forwarder find them.

Each is told in the log once, in the ledger once, and to whoever asks for as long as it is so.
"""

import asyncio
from collections.abc import Callable

import structlog

from gateway.errors import GatewayError, IntegrityError
from gateway.ledger import damage
from gateway.ledger.batch import Kept, Submission
from gateway.ledger.damage import TREE
from gateway.metrics import Metrics

MAX_KNOWN = 100  # more are counted, and told by number
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
        self._told: set[int] = set()
        self._recorded: set[int] = set()
        self._waiting: IntegrityError | None = None

    def found(self, error: IntegrityError) -> None:
        """Somebody asked for it, and was refused."""
        self._metrics.outcomes.labels("http", error.reason).inc()
        self._remember(error)

    def sound(self, index: int) -> None:
        """It was read, and is what was committed."""
        if self._known and self._known.pop(index, None) is not None:
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
            "forwarding_waits_at": waits_at,
        }

    def faults(self) -> list[str]:
        """For /healthz."""
        told = [what for _, what in sorted(self._known.items())]
        more = len(told) - _SHOWN
        shown = told[:_SHOWN] + ([f"and {more} more entries"] if more > 0 else [])
        if self._waiting is not None:
            shown.append(f"forwarding waits at entry {self._waiting.index}: {self._waiting.what}")
        return shown

    def _remember(self, error: IntegrityError) -> None:
        key = error.index if error.one else TREE
        if key not in self._told:
            if len(self._told) >= MAX_KNOWN:
                return
            self._told.add(key)
            _log.error("not what was committed", index=error.index, what=error.what)
        self._known[key] = str(error)
        self._show()
        if key not in self._recorded:
            self._record(key)

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
