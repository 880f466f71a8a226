"""Outbox: cursor, clock and last result in; what to send next and when, out. Pure.

At least once on the wire and, because a batch is known by (origin, index), exactly once in
effect: a cursor that is behind only costs a repeated batch.
"""

from typing import NamedTuple

from gateway.config import ForwardConfig


class Send(NamedTuple):
    """Entries [start, stop)."""

    start: int
    stop: int


class Wait(NamedTuple):
    """Until this time, Unix or any other ms that go forward; None: until there is more."""

    until_ms: int | None


class ForwardOutbox:
    """`cursor` is the next index the upstream has not confirmed."""

    def __init__(self, cursor: int, config: ForwardConfig) -> None:
        self.cursor = cursor
        self._config = config
        self._batch_entries = config.batch_entries
        self._failures = 0
        self._not_before_ms = 0

    def plan(self, now_ms: int, signed_size: int) -> Send | Wait:
        """One probe at a time while the upstream fails; nothing that is not signed yet."""
        if now_ms < self._not_before_ms:
            return Wait(self._not_before_ms)
        if self.cursor >= signed_size:
            return Wait(None)
        return Send(self.cursor, min(self.cursor + self._batch_entries, signed_size))

    def accepted(self, next_index: int) -> None:
        """The upstream holds everything before `next_index`; it may know more than we thought."""
        self.cursor = next_index
        self._failures = 0
        # slowly back: doubling would run into the same limit every other time
        grown = self._batch_entries + self._batch_entries // 8 + 1
        self._batch_entries = min(grown, self._config.batch_entries)

    def too_large(self, sent: int) -> bool:
        """Halves what was sent; whether there is a smaller batch to try at once."""
        self._batch_entries = max(sent // 2, 1)
        return sent > 1

    def failed(self, now_ms: int, jitter: float, retry_after_ms: int = 0) -> int:
        """Back off, doubling, with `jitter` in [0, 1]; returns the ms to wait."""
        doubled = self._config.retry_min_ms << min(self._failures, 16)
        self._failures += 1
        wait_ms = min(doubled, self._config.retry_max_ms)
        wait_ms = max(int(wait_ms * (0.5 + jitter / 2)), retry_after_ms)
        self._not_before_ms = now_ms + wait_ms
        return wait_ms
