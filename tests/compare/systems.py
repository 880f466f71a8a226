"""What a compared system is asked, and what it can answer. Runs on any Python 3.11: stdlib only."""

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

ELSEWHERE = 150  # events of the second history, more than the first had since the copy
BODY_BYTES = 142  # of a pack of three readings, as Tallystick is given

# Who was asked, and the word for it, the one that needs least first.
CAUGHT_BY = {
    "verify": "caught by verify",
    "start": "caught at start",
    "holder": "caught by a checkpoint holder",
    "collector": "caught by a checkpoint holder",
}
HOLDERS = {
    "holder": "whoever kept a checkpoint from before the attack, and gives it to verify",
    "collector": "the collector, asked when the gateway starts",
}
NOT_CAUGHT = "not caught"
CANNOT_BE_ASKED = "cannot be asked"


class CannotBeAskedError(Exception):
    """The system has nothing that this attack could be made on; the message says why."""


class Answer(NamedTuple):
    """`asked` is a key of CAUGHT_BY, `said` the system's own words."""

    asked: str
    caught: bool
    said: str


class Attacked(Protocol):
    """One system in a folder of its own. Each attack is made once, on a fresh one.

    An attack may return a remark: something it saw that `ask` does not show. It raises
    CannotBeAskedError where the system has nothing of the kind. What it changes is all that a
    stranger with the disk would change, and nothing is recomputed unless its name says so.
    """

    def fill(self, count: int) -> None:
        """At least `count` more events through the system's own door."""

    def remember(self) -> None:
        """The attacker takes a copy of everything the host has now."""

    def do_nothing(self) -> str | None: ...
    def edit_record(self) -> str | None: ...
    def edit_and_recompute(self) -> str | None: ...
    def edit_body(self) -> str | None: ...
    def edit_time(self) -> str | None: ...
    def delete_middle(self) -> str | None: ...
    def swap_two(self) -> str | None: ...
    def truncate(self) -> str | None: ...
    def roll_back(self) -> str | None: ...
    def rewrite_with_key(self) -> str | None: ...
    def substitute(self) -> str | None: ...
    def resurrect(self) -> str | None: ...
    def split_view(self) -> str | None: ...

    def ask(self) -> list[Answer]:
        """What the system's own means say now, each once."""

    def close(self) -> None: ...


class Timed(Protocol):
    """The same system with many events, for the speed of its verify."""

    def fill_many(self, count: int) -> int:
        """`count` events, by any means; bytes on disk when all is closed."""

    def open_many(self, count: int) -> Callable[[], int]:
        """In a new process: the verification of them, which returns how many it found right."""

    def process_id(self) -> int:
        """Of the process that verifies."""

    def close(self) -> None: ...


def body(n: int) -> bytes:
    """The n-th event's content, the same for every system that does not make its own."""
    return hashlib.shake_128(n.to_bytes(8, "big")).digest(BODY_BYTES)


def disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
