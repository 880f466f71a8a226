"""Hold: one process a directory, and the second one is told who has it."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType

from gateway.errors import HeldError


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


def _held(directory: Path, holder: str) -> HeldError:
    try:
        facts = json.loads(holder)
        who = f"process {facts['pid']} ({facts['what']})"
        fix = f"stop it first: kill {facts['pid']}"
    except (ValueError, KeyError, TypeError):
        who, fix = "another process", "stop it first"
    return HeldError(f"{directory} is held by {who}", fix)
