"""AgeClock: whether the wall clock may be used to judge how old an entry is. Pure.

A clock that jumps forward makes everything look old. So for a day after any such jump no age
is judged: a day for the clock to be corrected, or for somebody to look. A jump is a step
forward of wall time against the monotonic clock, and at a start against the last time seen.
"""

HOUR_MS = 3_600_000
JUMP_MS = HOUR_MS
REST_MS = 24 * HOUR_MS


class AgeClock:
    """`seen_ms` is the last wall time known to be right, None if there is none.

    `resting_ms` is how much of an earlier rest was left then.
    """

    def __init__(self, seen_ms: int | None, resting_ms: int = 0) -> None:
        self._seen_ms = seen_ms
        self._ahead_ms: int | None = None  # wall minus monotonic; the least while nothing jumped
        self._rest_ends_ms: int | None = None  # monotonic
        self._owed_ms = resting_ms  # until the monotonic clock is known
        self._now_ms = 0  # monotonic

    def tick(self, wall_ms: int | None, monotonic_ms: int) -> bool:
        """Whether ages may be judged now; `wall_ms` is None where that clock is not trusted."""
        if self._rest_ends_ms is None:
            self._rest_ends_ms = monotonic_ms + self._owed_ms
        self._now_ms = monotonic_ms
        if wall_ms is None:
            return False
        if self._jumped(wall_ms, monotonic_ms):
            self._rest_ends_ms = monotonic_ms + REST_MS
            self._ahead_ms = wall_ms - monotonic_ms
        self._seen_ms = wall_ms
        return self.resting_ms == 0

    @property
    def resting_ms(self) -> int:
        """How long no age is judged yet, by the monotonic clock of the last tick."""
        if self._rest_ends_ms is None:
            return self._owed_ms
        return max(self._rest_ends_ms - self._now_ms, 0)

    def dump(self) -> bytes:
        """For the next start: `load` makes of it a clock that goes on."""
        seen = "" if self._seen_ms is None else self._seen_ms
        return f"{seen} {self.resting_ms}".encode()

    @staticmethod
    def load(data: bytes | None, newest_ms: int | None) -> "AgeClock":
        """`newest_ms` is when the newest entry was received, where nothing better is known."""
        seen, _, resting = (data or b"").decode(errors="replace").partition(" ")
        if not resting.isdecimal():
            return AgeClock(newest_ms)
        return AgeClock(int(seen) if seen.isdecimal() else newest_ms, int(resting))

    def _jumped(self, wall_ms: int, monotonic_ms: int) -> bool:
        ahead_ms = wall_ms - monotonic_ms
        if self._ahead_ms is None:
            self._ahead_ms = ahead_ms
            return self._seen_ms is not None and wall_ms - self._seen_ms > JUMP_MS
        if ahead_ms - self._ahead_ms > JUMP_MS:
            return True
        self._ahead_ms = min(self._ahead_ms, ahead_ms)
        return False
