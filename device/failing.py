"""Failing: what becomes of a fault. On a board a pause and a reset; loaded for it only.

The pause is longer after each start that soon failed, so that a fault which comes at every start
does not wear out the flash, or the network. A watchdog cannot be stopped: it is fed all the while.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.board.small import Board
    from device.shapes import Report

_WATCHDOG_MS, _FEED_MS = 8000, 2000  # the agent's own, which goes on
_PAUSE_MS, _LONGEST_PAUSE_MS = 10_000, 600_000


def after(error: Exception, folder: str, report: "Report", *, is_trial: bool) -> None:
    """A pause and a reset. On trial it is raised for the selector, in a program for who started
    it. Ctrl-C ends the pause, and the REPL answers.
    """
    reset = _reset()
    if is_trial or reset is None:
        report("failed", reason=repr(error))
        raise error
    try:
        report("failed", reason=repr(error))
        from device.board.small import Board

        pause(Board(), folder)
    except Exception:  # no memory for it, or a flash that fails: then it is reset at once
        pass
    reset()


def pause(board: "Board", folder: str) -> None:
    """Until it is time for the next start of the device whose state is in `folder`."""
    feed = board.watchdog(_WATCHDOG_MS)
    left_ms = _next_ms(board, folder)
    while left_ms > 0:
        if feed is not None:
            feed()
        board.sleep_ms(min(left_ms, _FEED_MS))
        left_ms -= _FEED_MS


def _next_ms(board: "Board", folder: str) -> int:
    """How long to wait; counts, durably, the starts in a row that soon failed."""
    from device import store

    path = folder + "/failures"
    before = store.load(path)
    count = 0
    if before and board.ticks_ms() < _LONGEST_PAUSE_MS:  # ticks count from the reset, on boards
        count = min(before[0] + 1, 6)
    try:
        store.save(board, path, bytes((count,)))
    except OSError:
        pass  # a flash that fails may be the fault
    return min(_PAUSE_MS << count, _LONGEST_PAUSE_MS)


def _reset() -> "Callable[[], object] | None":
    try:
        from machine import reset
    except ImportError:  # a machine that is no board
        return None
    return reset
