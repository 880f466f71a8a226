"""The connections that a store is read through, borrowed one at a time by any thread."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import apsw

from gateway.errors import StoreFailedError


class Readers:
    """Whoever waits for one when they are closed is told so, and does not wait for ever."""

    def __init__(self, connections: Sequence[apsw.Connection]) -> None:
        self._all = tuple(connections)
        self._free = list(connections)  # guarded by _changed
        self._closed = False  # guarded by _changed
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[apsw.Connection]:
        """StoreFailedError once they are closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._closed)
            if self._closed:
                raise StoreFailedError("the store is closed")
            connection = self._free.pop()
        try:
            yield connection
        finally:
            with self._changed:
                self._free.append(connection)
                self._changed.notify_all()

    def close(self) -> None:
        """Returns when those that are in use are given back: a read is one short step."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._free) == len(self._all))
        for connection in self._all:
            connection.close()
