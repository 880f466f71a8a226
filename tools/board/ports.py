"""Which serial port the board is on, and why it cannot be opened."""

import errno
import importlib.util
import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.errors import ConfigError
from tools.board.faults import BoardError


class Found(NamedTuple):
    """`what` is what the operating system calls it."""

    port: str
    what: str


def found() -> list[Found]:
    """Ports of USB devices: a plain serial port of the machine is never guessed to be a board."""
    from serial.tools import list_ports

    listed = [one for one in list_ports.comports() if one.vid is not None]
    return sorted(Found(one.device, one.description or "") for one in listed)


def choose(named: str, candidates: Callable[[], Iterable[Found]] = found) -> str:
    """The port that was `named`, or the only one there is. ConfigError without mpremote."""
    if importlib.util.find_spec("mpremote") is None:
        raise ConfigError("no mpremote to talk to a board with", "pip install 'tallystick[flash]'")
    if named:
        return named
    there = list(candidates())
    if not there:
        raise BoardError(
            "no board found on USB",
            "plug it in with a cable that carries data; if it is another port, name it",
        )
    if len(there) > 1:
        listed = "\n".join(f"    {one.port}  {one.what}" for one in there)
        raise BoardError(
            f"there are {len(there)} boards:\n{listed}", "name one: put its port after --flash"
        )
    return there[0].port


def check(port: str, open_: Callable[[str, int], int] = os.open) -> None:
    """ConfigError where the port is not there or not ours to open; before mpremote hides why."""
    try:
        opened = open_(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        is_serial = os.isatty(opened)
        os.close(opened)
    except FileNotFoundError:
        raise BoardError(f"there is no port {port}", "see which there are: mpremote devs") from None
    except PermissionError:
        raise BoardError(
            f"no permission to open {port}",
            "sudo usermod -a -G dialout $USER, then log in anew",
        ) from None
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.EAGAIN):
            raise busy(port) from None
        raise BoardError(f"{port}: {error.strerror}", "name the port of a board") from error
    if not is_serial:
        raise BoardError(f"{port} is no serial port", "name the port of a board")


def busy(port: str) -> BoardError:
    return BoardError(
        f"{port} is used by another program",
        f"close the terminal or editor that is connected to the board: fuser {port} shows it",
    )
