"""OwnNumbers: numbers for what the gateway seals by itself, no two alike, ever (RFC 8613 §7.2.1).

Most answers use their request's nonce and need none. Notifications, challenges and second
answers do. One sequence serves all devices: each has keys of its own, so numbers that never
repeat in a gateway never repeat in a context, and there is nothing to keep for each device.

A file says where to go on. But it can be lost, and an older copy of it, or of the whole disk, be
put back. So numbers follow the clock: each second since 2025 has its own, and none is used before
its second has come. Whoever starts later, by the same clock, starts past all that were used.

Pure: whoever keeps the file reserves numbers on stable storage before they are here.
"""

from collections.abc import Callable

from gateway.errors import BusyError
from protocol.oscore_parts import MAX_NUMBER

PER_SECOND = 1024  # more than there are challenges in one
# Reserved at once: few at first, so that a start soon after another need not wait for the time
# of what that one had reserved; twice as many each time, so that a flood costs a sync a second.
FIRST_CHUNK, CHUNK = PER_SECOND // 32, PER_SECOND
_FAR = 60 * PER_SECOND  # ahead of the clock; what was reserved is never so far, if it is right
_CLOCK_ZERO_MS = 1_735_689_600_000  # 2025-01-01, before any release of ours
_CLOCK_LIMIT = 7 << 37  # in 2054: a clock past it is wrong, and must not use up all numbers


def by_clock(unix_ms: int, newest_ms: int) -> int | None:
    """The first number of this moment; None where the clock is not to be believed.

    `newest_ms` is when the ledger's last entry came: a clock that is behind it was set back.
    """
    number = (unix_ms - _CLOCK_ZERO_MS) * PER_SECOND // 1000
    return number if 0 <= number < _CLOCK_LIMIT and unix_ms >= newest_ms else None


def first_free(stored: int | None, clock: int | None) -> int | None:
    """Where a start goes on: past what was reserved, and past what the clock has left behind.

    None where neither is known: no number is free for sure then.
    """
    known = [number for number in (stored, clock) if number is not None]
    return max(known, default=None)


def pace_from(first: int, clock: int | None) -> int:
    """The number of this moment, from which they go on with time.

    That is the clock's, unless it is far behind: then the clock is wrong now or was wrong before,
    and only the file says what is free.
    """
    return first if clock is None or first - clock > _FAR else clock


class OwnNumbers:
    """`wanting` is called when the next chunk should be reserved; `come` is the first number whose
    time has not come yet."""

    def __init__(self) -> None:
        self._next = self._stop = self._low = 0
        self.wanting: Callable[[], None] = lambda: None
        self.come: Callable[[], int] = lambda: MAX_NUMBER + 1

    def grant(self, start: int, stop: int) -> None:
        """The numbers [start, stop) are reserved: go on with them."""
        if start != self._stop:  # the first chunk, or one after a gap
            self._next = start
        self._stop, self._low = stop, (stop - start) // 2

    @property
    def left(self) -> int:
        return self._stop - self._next

    @property
    def is_low(self) -> bool:
        return self.left <= self._low

    def take(self) -> int:
        """BusyError until more are reserved, or their time has come."""
        if self.is_low:
            self.wanting()
        if not self.left or self._next > MAX_NUMBER:
            raise BusyError("no OSCORE number is reserved yet")
        if self._next >= self.come():
            raise BusyError("more OSCORE numbers were used than the clock has for now")
        self._next += 1
        return self._next - 1
