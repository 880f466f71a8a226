"""The device's front door: picks the board, reads the configuration, runs the agent.

On a board `device.slots` starts it, out of one of two slots. Elsewhere: `micropython -m
device.main FOLDER [READINGS]`, or python. FOLDER holds config.json and all state. Each event is
one line of JSON on stdout; none ever holds a secret.
"""

import asyncio
import gc
import json
import sys

from device import forget
from device.config import ConfigError, RestartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board

_WRONG_USE = 2
_RESTART_AFTER_MS = 10_000
_EVENTS, _EVENT_CHARACTERS = 5, 64
_events: "list[str]" = []  # the last ones, for whoever asks from afar
is_trial = False  # set by the boot selector, which takes the old slot again after a fault


def report(event: str, **fields: object) -> None:
    """Prints one event, its name first, and remembers the last few that are not everyday."""
    rest = json.dumps(fields)[1:]
    print('{"event": "' + event + '"' + (", " if fields else "") + rest)
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
    quiet_ms = 0
    while True:
        settings = read_config(board, folder)
        settings.quiet_ms = quiet_ms
        from device import agent

        try:
            asyncio.run(agent.run(board, settings, folder, readings=readings, report=report))
            return
        except RestartError as error:
            restart = error
        del agent
        from device import between

        quiet_ms = between.hear(board, settings, folder, restart, report, _events)


def main(folder: str, readings: int = 0) -> None:
    """Runs the device; on a board, starts it again after a fault."""
    gc.collect()
    board = pick_board()
    folder = folder.rstrip("/")
    sys.path.append(folder or "/")  # where `drivers`, the owner's own, may be
    try:
        run(board, folder, readings)
    except ConfigError as error:
        report("refused", reason=str(error))
        sys.exit(_WRONG_USE)
    except Exception as error:  # whatever it is, a board that stands still helps nobody
        report("failed", reason=repr(error))
        if is_trial or board.name in ("unix", "cpython"):
            raise
        asyncio.run(board.sleep_ms(_RESTART_AFTER_MS))
        board.reset()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print("usage: device.main FOLDER [READINGS]")
        sys.exit(_WRONG_USE)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0)
