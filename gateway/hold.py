"""Hold: one process a directory, and the second one is told who has it."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType

from gateway.errors import HeldError

_LOCKS = Path("/proc/locks")


class Hold:
    """A lock on `directory` that ends with the process, however that ends."""

    def __init__(self, directory: Path, what: str) -> None:
        self._path = directory / "lock"
        self._what = what
        self._file: int | None = None

    def __enter__(self) -> "Hold":
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 4096, 0).decode(errors="replace")
            os.close(self._file)
            raise _held(self._path.parent, holder) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps({"pid": os.getpid(), "what": self._what}).encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            os.close(self._file)


def holder(directory: Path) -> str | None:
    """Who has `directory`, for people; None where nobody does. Takes no lock to find out."""
    path = directory / "lock"
    try:
        inode, locks = path.stat().st_ino, _LOCKS.read_text()
        text = path.read_text(errors="replace")
    except OSError:
        return None
    # "1: FLOCK ADVISORY WRITE pid major:minor:inode 0 EOF"; what waits has a "->" more
    held = [line.replace("->", "").split() for line in locks.splitlines()]
    if not any(f[1] == "FLOCK" and f[5].endswith(f":{inode}") for f in held if len(f) > 5):
        return None
    return _who(text)[0]


def _held(directory: Path, text: str) -> HeldError:
    who, fix = _who(text)
    return HeldError(f"{directory} is held by {who}", fix)


def _who(text: str) -> tuple[str, str]:
    """Who that is, and how it is stopped."""
    try:
        facts = json.loads(text)
        return f"process {facts['pid']} ({facts['what']})", f"stop it first: kill {facts['pid']}"
    except (ValueError, KeyError, TypeError):
        return "another process", "stop it first"
