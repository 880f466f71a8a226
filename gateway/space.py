"""Space: what the ledger's files take, how fast that grows, and for how long there is room."""

import asyncio
from collections.abc import Callable

from gateway.ledger.budget import Budget
from gateway.ledger.forecast import Forecast
from gateway.metrics import Metrics
from gateway.store import PAGE_BYTES, Selection, Sizes, Store


class Space:
    """`sizes` and `room_bytes` are of the last `look`. Belongs to the event loop.

    `disk_free_bytes` may raise Store*Error, and `look` does then.
    """

    def __init__(
        self,
        store: Store,
        budget: Budget | None,
        metrics: Metrics,
        *,
        disk_free_bytes: Callable[[], int],
    ) -> None:
        self.forecast = Forecast()
        self._store = store
        self._budget = budget
        self._metrics = metrics
        self._disk_free_bytes = disk_free_bytes
        self._bodies_from = 0  # no body that may be deleted is before this
        self.sizes = Sizes(0, 0, 0)
        self.room_bytes = 0

    async def look(self, now_s: float, size: int) -> None:
        """Measures, for a ledger of `size` entries."""
        rest = Selection(self._bodies_from, size)
        oldest = await asyncio.to_thread(self._store.read, lambda reader: reader.bodies(rest, 1))
        self._bodies_from = oldest[0][0] if oldest else size
        self.sizes = await asyncio.to_thread(self._store.sizes)
        self.forecast.sample(now_s, self.sizes.used_bytes)
        self.room_bytes = self._room(self.sizes)
        self._show()

    def freed(self, size_bytes: int) -> None:
        """A prune has made so much room inside the file."""
        self.forecast.freed(size_bytes)

    def status(self) -> dict[str, object]:
        """`days_left` is until no more can be kept, if nothing is deleted."""
        return {
            **self.sizes._asdict(),
            "room_bytes": self.room_bytes,
            "bytes_per_day": self.forecast.bytes_per_day(),
            "days_left": self.forecast.days_left(self.room_bytes),
            "bodies_from": self._bodies_from,
        }

    def _room(self, sizes: Sizes) -> int:
        inside = max(sizes.file_bytes - sizes.used_bytes, 0)
        room = self._disk_free_bytes() + inside
        if self._budget is not None:
            room = min(room, self._budget.file_pages * PAGE_BYTES - sizes.used_bytes)
        return max(room, 0)

    def _show(self) -> None:
        for part, taken in zip(("used", "file", "log"), self.sizes, strict=True):
            self._metrics.space.ledger_bytes.labels(part).set(taken)
        days_left = self.forecast.days_left(self.room_bytes)
        self._metrics.space.days_left.set(float("inf") if days_left is None else days_left)
