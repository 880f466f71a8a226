"""The serial line of the virtual board: a pseudo-terminal, and what nobody has read of it yet."""

import os
import pty
import time
from pathlib import Path

from tests.board.child import raw_terminal

_READ_BYTES = 65_536
_UNREAD_BYTES = 65_536
_STUCK_S = 0.5  # as USB: who does not read for so long is gone


class Line:
    """`port` while it is open; `link` is a name of it that stays the same."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.port = ""
        self.master = self._slave = -1
        self._unread = b""
        self._stuck_since = 0.0
        link.unlink(missing_ok=True)

    def open(self) -> None:
        self.master, self._slave = pty.openpty()
        raw_terminal(self._slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self._slave)
        self.link.symlink_to(self.port)

    def close(self) -> None:
        """As when the cable is pulled: whoever has it open notices."""
        self.link.unlink()
        os.close(self._slave)
        os.close(self.master)
        self._unread = b""

    def read(self) -> bytes:
        try:
            return os.read(self.master, _READ_BYTES)
        except OSError:
            return b""

    def show(self, data: bytes) -> None:
        """To whoever reads; where nobody does, the oldest goes."""
        if not self._unread:
            self._stuck_since = time.monotonic()
        self._unread += data
        if self._is_deaf():
            self._unread = self._unread[-_UNREAD_BYTES:]

    @property
    def has_unread(self) -> bool:
        return bool(self._unread)

    @property
    def has_room(self) -> bool:
        return len(self._unread) < _UNREAD_BYTES or self._is_deaf()

    def flush(self) -> None:
        if not self._unread:
            return
        try:
            written = os.write(self.master, self._unread)
        except BlockingIOError:
            return
        self._unread = self._unread[written:]
        self._stuck_since = time.monotonic()

    def _is_deaf(self) -> bool:
        return bool(self._unread) and time.monotonic() - self._stuck_since > _STUCK_S
