"""Stops a program at the n-th thing it does below a folder, as a kill would.

Counted are names that are changed, and files that are opened to be written.

Through the interpreter's own audit events, so the program runs as it is. SQLite's files are
opened past them: what happens inside a transaction is for the storage tests.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")


class Cut(BaseException):
    """No `except Exception` stops it."""


class _Watch:
    """One at a time: an audit hook cannot be taken away again."""

    def __init__(self) -> None:
        self.folder = ""
        self.left = 0

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if (
            not self.folder
            or event not in _EVENTS
            or not isinstance(arguments[0], str | os.PathLike)
        ):
            return
        if os.fspath(arguments[0]).startswith(self.folder):
            self.left -= 1
            if self.left < 0:
                self.folder = ""  # what is cleaned up on the way out is not in the way
                raise Cut


_watch = _Watch()
sys.addaudithook(_watch)


def interrupted(folder: Path, at: int, work: Callable[[], object]) -> bool:
    """Runs `work` until its event number `at` below `folder`; whether it came to that."""
    _watch.folder, _watch.left = str(folder), at
    try:
        work()
    except Cut:
        return True
    finally:
        _watch.folder = ""
    return False
