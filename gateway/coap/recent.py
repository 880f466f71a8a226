"""Resources that somebody reads block by block: read and checked once, until they change.

Without it each block of a large resource would cost a reading of the whole.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from gateway.resources import Found, Resources

MAX_RESOURCES = 32
MAX_BYTES = 4 << 20


class _Kept(NamedTuple):
    found: Found
    unwatch: Callable[[], None]


class Recent:
    """Belongs to the event loop. The least recently read makes room."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, path: str, *, again: bool) -> Found:
        """What is at `path` now; `again` for who has read a block of it before."""
        kept = self._kept.get(path)
        if again and kept is not None:
            self._kept.move_to_end(path)
            return kept.found
        self._drop(path)
        return await self._read(path)

    async def _read(self, path: str) -> Found:
        changed = False

        def change() -> None:
            nonlocal changed
            changed = True
            self._drop(path)

        unwatch = self._resources.watch(path, change)  # before it is read
        try:
            found = await self._resources.get(path)
        except BaseException:
            unwatch()
            raise
        if changed or path in self._kept or len(found.content) > MAX_BYTES:
            unwatch()
        else:
            self._keep(path, _Kept(found, unwatch))
        return found

    def _keep(self, path: str, kept: _Kept) -> None:
        self._kept[path] = kept
        self.size_bytes += len(kept.found.content)
        while len(self._kept) > MAX_RESOURCES or self.size_bytes > MAX_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, path: str) -> None:
        kept = self._kept.pop(path, None)
        if kept is not None:
            self.size_bytes -= len(kept.found.content)
            kept.unwatch()
