"""`tallystick device add NAME --flash`: from a blank board to its first verified reading."""

import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import typer

from tools.bars import Bars
from tools.board import copying, facts, identity, ports, waiting
from tools.board.addresses import gateway_for, warning
from tools.board.events import Listener
from tools.board.identity import Asked
from tools.board.link import Board
from tools.enrolling import DEFAULT_PROFILE
from protocol.enrolment import MAC, SIG

DEFAULT_WAIT_S = 60.0


class Done(NamedTuple):
    """What `--json` prints."""

    name: str
    port: str
    firmware: str
    copied: int
    enrolled: bool
    index: int
    profile: str
    reading: dict[str, object]
    seconds: float

    @property
    def changed(self) -> bool:
        return bool(self.copied) or self.enrolled


def add(asked: Asked, port: str, *, small: bool, wait_s: float) -> Done:
    """Every step can be the last: a second run goes on where it ended."""
    started = time.monotonic()
    with Bars() as bars:
        port = ports.choose(port)
        bars.show("looking at the board", 0, 1)
        with Board(port) as board:
            found = facts.of(board)
            facts.check(found, small=small)
            config = identity.held(board)
            identity.check(asked, config)
            bars.show("looking at the board", 1, 1)
            copied = _flash(board, found, asked, config, bars)
            enrolled = identity.settle(board, asked, config)
            after = waiting.size(asked.dir_)
            board.reset()
        first = _wait(asked, port, after, wait_s, bars)
    seconds = time.monotonic() - started
    return Done(
        asked.name,
        port,
        found.named,
        copied,
        enrolled,
        first.index,
        first.profile,
        first.reading,
        round(seconds, 1),
    )
