"""Starts the agent: picks the board, reads the configuration, and restarts after a fault."""

import asyncio
import gc
import json
import sys

from device import forget, store
from device.config import ConfigError, RestartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board

_WRONG_USE = 2
_PROGRAMS = ("unix", "cpython")  # boards that are none
_RESTART_AFTER_MS, _LONGEST_RESTART_MS = 10_000, 600_000
_EVENTS, _EVENT_CHARACTERS = 5, 64
_events: "list[str]" = []  # the last ones, for whoever asks from afar


def report(event: str, **fields: object) -> None:
    """Prints one event, and remembers the last few that are not everyday."""
    rest = json.dumps(fields)[1:]
    print('{"event": "', event, '", ' if fields else '"', rest, sep="")
    if event != "kept":
        _events.append((event + " " + rest)[:_EVENT_CHARACTERS])
        if len(_events) > _EVENTS:
            _events.pop(0)


def board_name() -> str:
    """The module of `device.board` for the machine we run on."""
    if sys.implementation.name != "micropython":
        return "cpython"
    return sys.platform if sys.platform in ("rp2", "esp32") else "unix"


def pick_board() -> "Board":
    # by name, so that no other board's module, or what it needs, is ever loaded
    module = __import__("device.board." + board_name(), None, None, ["Board"])
    board: Board = module.Board()
    return board


def read_config(board: "Board", folder: str) -> "Config":
    """What this start runs; then lets go of the code that read it: a board runs it once."""
    from device import config_file

    settings = config_file.of(board, folder)
    del config_file
    forget("device.config_file", "device.config_sensors", "device.config_checks")
    gc.collect()
    return settings


def run(board: "Board", folder: str, readings: int) -> None:
    """One agent, and another one whenever it ends for what it is told."""
    quiet_ms, is_restart = 0, False
    while True:
        settings = read_config(board, folder)
        settings.quiet_ms, settings.is_restart = quiet_ms, is_restart
        from device import agent

        try:
            asyncio.run(agent.run(board, settings, folder, readings=readings, report=report))
            return
        except RestartError as error:
            restart = error
        del agent
        from device import between

        quiet_ms = between.hear(board, settings, folder, restart, report, _events)
        is_restart = True


def main(folder: str, readings: int, *, is_trial: bool) -> None:
    """Until the agent ends; after a fault a board is reset, and waits longer each time."""
    gc.collect()
    board = pick_board()
    started = board.ticks_ms()
    try:
        run(board, folder, readings)
    except ConfigError as error:
        report("refused", reason=str(error))
        if is_trial:
            raise
        if board.name in _PROGRAMS:
            sys.exit(_WRONG_USE)
        # a board that exits starts again at once: it stands still, and its REPL answers
    except Exception as error:  # whatever it is, a board that stands still helps nobody
        fail(board, folder, error, board.ticks_diff(board.ticks_ms(), started), is_trial=is_trial)


def fail(board: "Board", folder: str, error: Exception, lasted_ms: int, *, is_trial: bool) -> None:
    """Tells of a fault. Then a board is reset after a while; whoever started a program knows."""
    report("failed", reason=repr(error))
    if is_trial or board.name in _PROGRAMS:
        raise error
    asyncio.run(board.sleep_ms(pause_ms(board, folder, lasted_ms)))
    board.reset()


def pause_ms(board: "Board", folder: str, lasted_ms: int) -> int:
    """How long to wait before the next start: twice as long after each that soon failed.

    So a fault that comes at every start does not wear out the flash, or the network.
    """
    path = folder + "/failures"
    before = store.load(path)
    count = 0
    if before and 0 <= lasted_ms < _LONGEST_RESTART_MS:
        count = min(before[0] + 1, 6)
    try:
        store.save(board, path, bytes((count,)))
    except OSError:
        pass  # a flash that fails may be the fault
    return min(_RESTART_AFTER_MS << count, _LONGEST_RESTART_MS)
