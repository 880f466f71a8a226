"""Commands: what a device does when it is told to, by name.

Each takes the desk and an argument, and returns what came of it. A command that takes long is a
coroutine. It may be cut off by anything: then it is not run again. No agent runs meanwhile.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from device.control import Desk

    Command = Callable[[Desk, str], str | Coroutine[object, object, str]]


def report(desk: "Desk", argument: str) -> str:
    """How the agent was when it was told, as readings."""
    for name in desk.totals:
        desk.standing.note("report/" + name, str(desk.totals[name]))
    return "ok"


def sample(desk: "Desk", argument: str) -> str:
    """The agent that starts after this reads every sensor at once."""
    return "ok"


def reset(desk: "Desk", argument: str) -> str:
    """After it is written down; it is told after that start."""
    desk.then = desk.board.reset
    return "ok"


def log(desk: "Desk", argument: str) -> str:
    """The last events, a reading each."""
    if not argument.isdigit():
        return "refused: say how many, for example 5"
    lines = desk.log[-int(argument) :] if int(argument) else []
    for line in lines:
        desk.standing.note("log", line)
    return f"ok {len(lines)} events"


def update(desk: "Desk", argument: str) -> str:
    """The release of that version is fetched and tried, in the next start: device.update."""
    selector = sys.modules.get("slots")
    if selector is None:
        return "refused: no slots on this machine"
    if desk.settings.update_key is None:
        return "refused: no update_key in config.json"
    if not 0 < len(argument) <= 32 or "/" in argument or "\n" in argument:
        return "refused: no version"
    if selector.running.is_pending:
        return "refused: another update is not over"
    selector.running.want(argument)
    desk.then = desk.board.reset
    return "ok"


TABLE: "dict[str, Command]" = {
    "report": report,
    "sample": sample,
    "reset": reset,
    "log": log,
    "update": update,
}
