"""An event that a task waits for, with a limit of time."""

import asyncio
from asyncio import core  # type: ignore[attr-defined]  # the stubs leave it out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Event:
    """asyncio.Event, but that waiting for some time takes no task of its own.

    With `asyncio.wait_for_ms` each wait is one, and the code of both takes 2 KB besides.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[Any] = []  # tasks, each of which sleeps until its time is over

    def is_set(self) -> bool:
        return self._is_set

    def clear(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True
        for task in self._waiting:
            # its turn is now; as Task.cancel does it
            core._task_queue.remove(task)
            core._task_queue.push(task)
        self._waiting.clear()

    async def wait_ms(self, timeout_ms: int) -> bool:
        """Whether it was set in time."""
        if self._is_set:
            return True
        task = core.cur_task
        self._waiting.append(task)
        try:
            await asyncio.sleep_ms(timeout_ms)
        finally:
            # `set` took it out; by now it may be clear again
            was_set = task not in self._waiting
            if not was_set:
                self._waiting.remove(task)
        return was_set
