"""Between two agents: what the first one left is forgotten, and what is told it is done."""

import asyncio
import gc
import sys

from device.forgetting import forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config, RestartError
    from device.shapes import Board, Report

_PARTS, _BOARDS = ("device.", "protocol."), "device.board"
# Classes that a board, a driver or the front door holds on to.
_KEPT = (
    "device.main",
    "device.start",
    "device.config",
    "device.forgetting",
    "device.slots",
    "protocol.cbor",
    "protocol.errors",
)
_AGAIN_MS = 30_000
_COLLECT_EVERY_BYTES = 4096


def hear(
    board: "Board",
    settings: "Config",
    folder: str,
    restart: "RestartError",
    report: "Report",
    log: list[str],
) -> int:
    """For how many ms of the next agent there is no use in asking again."""
    let_go()
    asks, kid, totals = restart.args
    if not asks:
        return 0
    from device import control

    desk = control.Desk(board, settings, folder, report)
    desk.totals, desk.log = totals, log
    try:
        return asyncio.run(control.turn(desk, kid))
    except OSError as error:  # the flash will not: it is as it was, and tried again later
        report("control-failed", reason=repr(error))
        return _AGAIN_MS
    finally:
        let_go()


def let_go() -> None:
    """Forgets what was loaded, but for what somebody holds on to, and ends its loop."""
    if sys.implementation.name == "micropython":
        asyncio.new_event_loop()  # there the state of the loop is global
        gc.threshold(_COLLECT_EVERY_BYTES)  # again early, while the next one is loaded
    loaded = [name for name in sys.modules if name.startswith(_PARTS) and name not in _KEPT]
    forget(*sorted([name for name in loaded if not name.startswith(_BOARDS)], reverse=True))
    gc.collect()
