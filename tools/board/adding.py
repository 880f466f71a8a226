"""`tallystick device add NAME --flash`: from a blank board to its first verified reading."""

import time
from typing import NamedTuple

from protocol.enrolment import MAC, SIG
from tools.bars import Bars
from tools.board import copying, facts, identity, ports, rotating, settings, waiting
from tools.board.events import Listener
from tools.board.facts import Facts
from tools.board.identity import Asked, Config
from tools.board.link import Board


class Done(NamedTuple):
    """What became of it; `reading` is the first that the ledger has since."""

    name: str
    port: str
    firmware: str
    copied: int
    enrolled: bool
    entry: int
    profile: str
    reading: dict[str, object]
    seconds: float

    @property
    def changed(self) -> bool:
        return bool(self.copied) or self.enrolled


def add(asked: Asked, port: str, *, small: bool, wait_s: float) -> Done:
    """Every step can be the last: a second run goes on where it ended."""
    started = time.monotonic()
    port = ports.choose(port)
    with Bars() as bars:
        with Board(port) as board:
            found = look(board, bars, small=small)
            config = identity.held(board)
            identity.check(asked, config)
            wanted = settings.checked(identity.merged(asked, config))
            copied = flash(board, found, bars, signs=signs(wanted))
            settled = identity.settle(board, asked, config, wanted)
            after = waiting.size(asked.dir_)
            board.reset()
        first = await_reading(asked, port, after, wait_s, bars)
    seconds = round(time.monotonic() - started, 1)
    return Done(asked.name, port, found.named, copied, settled, *first, seconds=seconds)


def look(board: Board, bars: Bars, *, small: bool) -> Facts:
    """What the board is; BoardError where no device can run there."""
    bars.show("looking at the board", 0, 1)
    found = facts.of(board)
    facts.check(found, small=small)
    bars.show("looking at the board", 1, 1)
    return found


def flash(board: Board, found: Facts, bars: Bars, *, signs: bool) -> int:
    """Puts the program there; how many files had to be."""
    wanted = copying.wanted_on(found, signs=signs)
    made = copying.plan(board, found, wanted)
    copying.carry_out(board, made, wanted, bars.show)
    copying.choose_slot(board)
    return len(made.put)


def signs(config: Config | None) -> bool:
    return config is not None and config.get("profile", MAC) == SIG


def await_reading(asked: Asked, port: str, after: int, limit_s: float, bars: Bars) -> waiting.First:
    """The first reading under the key that `asked.name` has now."""
    device = identity.active(asked)
    assert device is not None  # noqa: S101  # enrolled a moment ago
    shown = f"waiting for a reading of {asked.name}"

    def progress(waited_s: float) -> None:
        bars.show(shown, round(10 * waited_s), round(10 * limit_s))

    with Listener(port) as listener:
        return waiting.first_reading(
            asked.dir_, device, after, listener, limit_s=limit_s, progress=progress
        )


def rotate(asked: Asked, port: str, *, wait_s: float, drop: bool) -> tuple[str, waiting.First]:
    """The new kid in hex, and the first reading under it."""
    port = ports.choose(port)
    with Bars() as bars:
        with Board(port) as board:
            config = rotating.check(asked, identity.held(board))
            rotating.send_first(
                board,
                asked,
                limit_s=wait_s,
                drop=drop,
                progress=lambda waiting: bars.show("waiting for the outbox", 0, waiting),
            )
            device = rotating.rotate(board, asked, config)
            after = waiting.size(asked.dir_)
            board.reset()
        return device.kid.hex(), await_reading(asked, port, after, wait_s, bars)
