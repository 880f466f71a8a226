"""OwnNumbers: numbers for what the gateway seals by itself, no two alike, ever (RFC 8613 §7.2.1).

Most answers use their request's nonce and need none. Notifications, challenges and second
answers do. One sequence serves all devices: each has keys of its own, so numbers that never
repeat in a gateway never repeat in a context, and there is nothing to keep for each device.

Pure: whoever keeps the file reserves numbers on stable storage before they are here.
"""

from collections.abc import Callable

from gateway.errors import BusyError
from protocol.oscore import MAX_NUMBER

CHUNK = 4096  # reserved at once; a restart leaves out at most so many
# An older copy of the file, or of the whole disk, would repeat numbers. So each start also skips
# to what the clock says: so many a second since 2025, which lasts for 136 years.
PER_SECOND = 256
_CLOCK_ZERO_MS = 1_735_689_600_000  # 2025-01-01, before any release of ours
_CLOCK_LIMIT = 1 << 39  # in 2093: a clock past it is wrong, and must not use up all numbers


def first_free(stored: int | None, unix_ms: int) -> int | None:
    """Where a start goes on: past what was reserved, and past what the clock allows for.

    None where neither is known: no number is free for sure then.
    """
    by_clock = (unix_ms - _CLOCK_ZERO_MS) * PER_SECOND // 1000
    credible = 0 <= by_clock < _CLOCK_LIMIT
    if stored is None:
        return by_clock if credible else None
    return max(stored, by_clock) if credible else stored


class OwnNumbers:
    """`wanting` is called when the next chunk should be reserved."""

    def __init__(self) -> None:
        self._next = self._stop = 0
        self.wanting: Callable[[], None] = lambda: None

    def grant(self, start: int, stop: int) -> None:
        """The numbers [start, stop) are reserved: go on with them."""
        if start != self._stop:  # the first chunk, or one after a gap
            self._next = start
        self._stop = stop

    @property
    def left(self) -> int:
        return self._stop - self._next

    def take(self) -> int:
        """BusyError until more are reserved."""
        if self.left <= CHUNK // 2:
            self.wanting()
        if not self.left or self._next > MAX_NUMBER:
            raise BusyError("no OSCORE number is reserved yet")
        self._next += 1
        return self._next - 1
