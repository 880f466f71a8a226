"""Reserve: disk space that is taken now, so that a full disk can still be written about.

A file of zeros beside the ledger, really allocated; and pages below the ledger's own limit.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gateway.errors import GatewayError
from gateway.store import PAGE_BYTES, Store
from gateway.store.files import on_disk

_OWN_SHARE = 32  # of the ledger's own limit, the most that is kept back


class Free(NamedTuple):
    """On the file system; until the ledger's own limit, None without one."""

    disk_bytes: int
    ledger_bytes: int | None


class Reserve:
    """Owned by the writer's thread, which no error of the disk ends. `held` while it is taken.

    `max_pages` is the ledger's own limit, if it has one: that many only while this is released.
    """

    def __init__(self, path: Path, size_bytes: int, store: Store, max_pages: int | None) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._store = store
        self._max_pages = max_pages
        self.held = False

    def take(self) -> bool:
        """Whether the space is held now; nothing is, where it cannot all be."""
        self.held = self._allocate()
        if self.held and self._max_pages is not None:
            self._limit(self._max_pages - self._own_pages(self._max_pages))
        return self.held

    def release(self) -> None:
        """Gives it back, to be written to, as far as the disk lets us: the next write will tell."""
        self._remove()
        if self._max_pages is not None:
            self._limit(self._max_pages)
        self.held = False

    def free(self) -> Free:
        """StoreFailedError where the disk or the ledger does not say."""
        ledger_bytes = None
        if self._max_pages is not None:
            limit_bytes = (self._max_pages - self._own_pages(self._max_pages)) * PAGE_BYTES
            ledger_bytes = limit_bytes - self._store.used_bytes()
        return Free(self.disk_free_bytes(), ledger_bytes)

    def disk_free_bytes(self) -> int:
        """Any thread. StoreFailedError where the disk does not say."""
        with on_disk(str(self._path.parent)):
            disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize

    def _own_pages(self, max_pages: int) -> int:
        return min(self._size_bytes // PAGE_BYTES, max_pages // _OWN_SHARE)

    def _allocate(self) -> bool:
        if not self._size_bytes:
            return True
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.ftruncate(handle, self._size_bytes)  # it may have been larger
                os.posix_fallocate(handle, 0, self._size_bytes)
            finally:
                os.close(handle)
        except OSError:
            self._remove()
            return False
        return True

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _limit(self, pages: int) -> None:
        with suppress(GatewayError):
            self._store.limit_pages(pages)
