"""Forecast: how fast a ledger grows, and when there will be no room for more. Pure.

From samples of (time, bytes taken) of the last hours. What a prune freed is added back: the
rate is of what comes in, not of what is left.
"""

from collections import deque

WINDOW_S = 6 * 3600
EVERY_S = 60
_LEAST_S = 300  # a rate of less is noise
_DAY_S = 86_400


class Forecast:
    """Times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=WINDOW_S // EVERY_S + 1)
        self._freed_bytes = 0

    def freed(self, size_bytes: int) -> None:
        """A prune has made so much room."""
        self._freed_bytes += size_bytes

    def sample(self, now_s: float, used_bytes: int) -> None:
        """Keeps one sample every EVERY_S; others are passed over."""
        if not self._samples or now_s - self._samples[-1][0] >= EVERY_S:
            self._samples.append((now_s, used_bytes + self._freed_bytes))

    def bytes_per_day(self) -> float | None:
        """None before it was watched for five minutes."""
        if not self._samples:
            return None
        (first_s, before), (last_s, after) = self._samples[0], self._samples[-1]
        if last_s - first_s < _LEAST_S:
            return None
        return max(after - before, 0) * _DAY_S / (last_s - first_s)

    def days_left(self, room_bytes: int) -> float | None:
        """Until `room_bytes` are taken if nothing is deleted; None where nothing comes in."""
        rate = self.bytes_per_day()
        return max(room_bytes, 0) / rate if rate else None
