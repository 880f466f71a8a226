"""Supervisor: runs the agent's tasks, and feeds the watchdog while every one of them ticks.

The first task that fails ends the device: a half-dead one would look alive. One that neither
fails nor ticks is told, and the watchdog, no longer fed, resets the board; where there is none,
this ends the device as well.
"""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from device.clock import Clock
    from device.shapes import Board, Report

    Tick = Callable[[], None]

# rp2 counts no longer than 8388 ms; a feeding that comes late three times is no accident.
WATCHDOG_MS = 8000
_FEED_MS = 2000


class StuckError(Exception):
    """A part has not ticked for longer than it may, and no watchdog will end it."""


class _Part:
    def __init__(self, name: str, limit_ms: int, now_ms: int) -> None:
        self.name = name
        self.limit_ms = limit_ms
        self.ticked_ms = now_ms
        self.late = False


class Supervisor:
    """`run` ends when the part called "uplink" does, or raises what another one raised."""

    def __init__(self, board: "Board", clock: "Clock", report: "Report") -> None:
        self._board = board
        self._clock = clock
        self._report = report
        self._parts: list[_Part] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = board.event()
        self._error: Exception | None = None

    def start(
        self,
        name: str,
        limit_ms: int,
        run: "Callable[[Tick], Awaitable[None]]",
        *,
        last: bool = False,
    ) -> None:
        """`run(tick)` calls `tick` at least every `limit_ms`; all is over when the `last` is."""
        part = _Part(name, limit_ms, self._clock.uptime_ms())
        self._parts.append(part)

        def tick() -> None:
            part.ticked_ms = self._clock.uptime_ms()

        async def guarded() -> None:
            try:
                await run(tick)
                part.limit_ms = 0
            except Exception as error:
                self._error = error
            if last or self._error is not None:
                self._ended.set()

        self._tasks.append(asyncio.create_task(guarded()))

    async def run(self, *, watchdog: bool) -> None:
        """Until the last part is done; `watchdog` only where nobody will want to stop the board."""
        feed = self._board.watchdog(WATCHDOG_MS) if watchdog else None
        while not await self._board.wait(self._ended, _FEED_MS):
            late = self.late()
            if not late and feed is not None:
                feed()
            elif late and feed is None:
                raise StuckError(late)
        for task in self._tasks:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
        if self._error is not None:
            raise self._error

    def late(self) -> str:
        """The parts that have not ticked within their limits; tells of each once."""
        now_ms = self._clock.uptime_ms()
        found = ""
        for part in self._parts:
            late = bool(part.limit_ms) and now_ms - part.ticked_ms > part.limit_ms
            if late and not part.late:
                self._report("stuck", part=part.name, silent_ms=now_ms - part.ticked_ms)
            part.late = late
            if late:
                found += part.name + " "
        return found
