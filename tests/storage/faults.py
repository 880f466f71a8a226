"""A disk that fails: which steps, with which error, before or after they were done."""

import errno
from typing import NamedTuple

from tests.storage.shim import Link, Rename, Step, Sync, SyncDirectory, Truncate, Unlink, Write


class Fault(NamedTuple):
    """`reason` is what a database's submitter is told."""

    steps: tuple[type, ...]
    error: int
    done: bool
    reason: str = "store-failed"


FAULTS = {
    "no space for a write": Fault((Write,), errno.ENOSPC, False, "store-full"),
    "no space, though written": Fault((Write,), errno.ENOSPC, True, "store-full"),
    "no space for a file": Fault((Link,), errno.ENOSPC, False),
    "write failed": Fault((Write,), errno.EIO, False),
    "write failed, though done": Fault((Write,), errno.EIO, True),
    "sync failed": Fault((Sync, SyncDirectory), errno.EIO, False),
    "sync failed, though done": Fault((Sync, SyncDirectory), errno.EIO, True),
    "truncate failed": Fault((Truncate,), errno.EIO, False),
    "truncate failed, though done": Fault((Truncate,), errno.EIO, True),
    "name failed": Fault((Rename, Unlink), errno.EIO, False),
    "name failed, though done": Fault((Rename, Unlink), errno.EIO, True),
    "read-only from then on": Fault(
        (Write, Sync, SyncDirectory, Truncate, Link, Rename, Unlink), errno.EROFS, False
    ),
}


class FaultyDisk:
    """A tap: once armed, the `nth` step that the fault speaks of fails; `lasting`: all from it."""

    def __init__(self) -> None:
        self._fault: Fault | None = None
        self._nth = 0
        self._lasting = False
        self._seen = 0
        self.failed: list[Step] = []

    def arm(self, fault: Fault, nth: int, *, lasting: bool) -> None:
        self._fault, self._nth, self._lasting, self._seen = fault, nth, lasting, 0

    def heal(self) -> None:
        self._fault = None

    def before(self, step: Step) -> None:
        if self._fault and isinstance(step, self._fault.steps):
            self._seen += 1
            self._fail(step, done=False)

    def after(self, step: Step) -> None:
        self._fail(step, done=True)

    def _fail(self, step: Step, *, done: bool) -> None:
        fault = self._fault
        if fault is None or fault.done is not done or not isinstance(step, fault.steps):
            return
        if self._seen == self._nth or (self._lasting and self._seen > self._nth):
            self.failed.append(step)
            raise OSError(fault.error, errno.errorcode[fault.error])
