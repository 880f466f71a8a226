"""Clock: time since start, and Unix time once an authenticated receipt has told it.

Reads no real-time clock: a board's own starts at some date after every power cut, and a
wrong time in a record is worse than none.
"""

from protocol.limits import MAX_TIME_MS, RELATIVE_TIME_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Ticking


class Clock:
    """`uptime_ms` never goes back; ask it at least every few days, for ticks wrap around."""

    def __init__(self, board: "Ticking", uptime_ms: int = 0) -> None:
        """`uptime_ms` is that of the starts before, where an epoch goes on after a sleep."""
        self._board = board
        self._ticks = board.ticks_ms()
        self._uptime_ms = uptime_ms
        self._unix_at_start_ms: int | None = None

    def uptime_ms(self) -> int:
        ticks = self._board.ticks_ms()
        passed_ms = self._board.ticks_diff(ticks, self._ticks)
        if passed_ms > 0:
            self._uptime_ms += passed_ms
            self._ticks = ticks
        return self._uptime_ms

    @property
    def is_set(self) -> bool:
        return self._unix_at_start_ms is not None

    def learn(self, unix_ms: int) -> bool:
        """Takes over the gateway's time; True where the clock was unset before.

        0 says that the gateway does not trust its own clock. Anything else below 2**28 s
        would make our times look relative.
        """
        if not RELATIVE_TIME_MS <= unix_ms <= MAX_TIME_MS:
            return False
        first = not self.is_set
        self._unix_at_start_ms = unix_ms - self.uptime_ms()
        return first

    def time_ms(self, uptime_ms: int) -> int:
        """What a reading made at `uptime_ms` says: Unix ms, or, unset, ms before now as <= 0."""
        if self._unix_at_start_ms is None:
            return uptime_ms - self.uptime_ms()
        return self._unix_at_start_ms + uptime_ms
