"""Starts the agent: picks the board, reads the configuration, and takes the next agent's turn."""

import asyncio
import gc
import json
import sys

from device.config import ConfigError, RestartError
from device.forgetting import forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board

_WRONG_USE = 2
_PROGRAMS = ("unix", "cpython")  # boards that are none
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
    """Until the agent ends. Where its configuration is refused, a trial raises ConfigError."""
    gc.collect()
    board = pick_board()
    try:
        run(board, folder, readings)
    except ConfigError as error:
        if is_trial:
            raise
        report("refused", reason=str(error))
        if board.name in _PROGRAMS:
            sys.exit(_WRONG_USE)
        # a board that exits starts again at once: it stands still, and its REPL answers
    except MemoryError:
        if sys.implementation.name == "micropython":
            for name in list(sys.modules):  # room for what the front door does then
                if name.startswith("device."):
                    forget(name)
        raise
