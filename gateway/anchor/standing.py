"""Standing: how much of the ledger nobody else remembers yet, and for how long."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from gateway.anchor.anchors import Anchors
from gateway.anchor.view import Shown


class Standing:
    """`size` gives the committed entries, `unix_ms` the clock."""

    def __init__(
        self,
        anchors: Anchors,
        ledger: Shown,
        size: Callable[[], int],
        unix_ms: Callable[[], int],
        registry: CollectorRegistry,
    ) -> None:
        self._anchors = anchors
        self._ledger = ledger
        self._size = size
        self._unix_ms = unix_ms
        self._first: tuple[int, int] = (-1, 0)  # the first unanchored entry, and when it came
        Gauge(
            "tallystick_anchor_age_seconds",
            "How long the oldest entry that is not anchored has waited; 0 if there is none",
            registry=registry,
        ).set_function(self.age_s)
        Gauge(
            "tallystick_unanchored_entries",
            "Entries that are not under an anchored checkpoint",
            registry=registry,
        ).set_function(self.unanchored)

    def unanchored(self) -> int:
        return max(self._size() - self._anchors.size, 0)

    def age_s(self) -> float:
        """Never negative, whatever the clock does."""
        index = self._anchors.size
        if self._size() <= index:
            return 0.0
        if self._first[0] != index:
            received_ms = self._ledger.received_ms(index)
            if received_ms is None:
                return 0.0
            self._first = index, received_ms
        return max(self._unix_ms() - self._first[1], 0) / 1000

    def section(self) -> dict[str, object]:
        """For /stats."""
        return {
            "size": self._anchors.size,
            "age_seconds": self.age_s(),
            "unanchored": self.unanchored(),
            "witnesses": [seen.shown() for seen in self._anchors.seen.values()],
        }
