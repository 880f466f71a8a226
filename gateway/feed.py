"""Feed: wakes whoever waits past a cursor. Holds no data: readers ask the store.

Belongs to the event loop; `publish` is called on it.
"""

import asyncio


class Feed:
    """`size` entries are committed, the first `signed` of them are under a checkpoint."""

    def __init__(self, size: int = 0, signed: int = 0) -> None:
        self.size = size
        self.signed = signed
        self._changed = asyncio.Event()

    def publish(self, *, size: int, signed: int) -> None:
        if (size, signed) == (self.size, self.signed):
            return
        self.size, self.signed = size, signed
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def past(self, cursor: int) -> None:
        """Returns once an entry with index `cursor` is committed."""
        while self.size <= cursor:
            await self._changed.wait()

    async def signed_past(self, cursor: int) -> None:
        """Returns once the entry with index `cursor` is under a checkpoint."""
        while self.signed <= cursor:
            await self._changed.wait()
