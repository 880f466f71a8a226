"""ResourceTree: all paths, each kept as its namespace says. The doors' one way to resources."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gateway.errors import (
    BusyError,
    IntegrityError,
    MethodError,
    StoreFailedError,
)
from gateway.integrity import Integrity
from gateway.ledger.batch import Applied, Kept, Submission
from gateway.ledger.changes import ALWAYS, Conditions, Limits, Totals, Wish
from gateway.ledger.contents import Contents, assembled
from gateway.ledger.log import Draft
from gateway.resources import Changed, Found, paths, proc
from gateway.resources.memory import MemoryTree
from gateway.store import ReadableStore, Reader
from protocol.limits import MAX_CONTENT_BYTES
from protocol.resource import DELETE, POST, PUT

MAX_PENDING_BYTES = 2 * MAX_CONTENT_BYTES  # that wait for the writer: see gateway.ledger.budget
_DOOR = "resources"  # of metrics
_UNCONDITIONAL = Conditions()


class ResourceTree:
    """Belongs to the event loop. `submit` is the sequencer's.

    `on_superseded` hears after each change from which entry on there are some that no resource
    consists of any more: their bodies may be deleted from now on.
    """

    def __init__(
        self,
        store: ReadableStore,
        submit: Callable[[Submission], "asyncio.Future[Kept]"],
        integrity: Integrity,
        memory: MemoryTree,
        limits: Limits,
    ) -> None:
        self._store = store
        self._submit = submit
        self._integrity = integrity
        self._memory = memory
        self._limits = limits
        self.on_superseded: Callable[[int], None] = lambda _: None
        self._watchers: dict[str, list[Callable[[], None]]] = {}
        self._pending_bytes = 0

    async def get(self, path: str, queries: Sequence[str] = ()) -> Found:
        path = paths.of_text(path)
        if _is_durable(path):
            return Found(*await self._contents(path))
        if paths.namespace_of(path) == paths.PROC:
            return await self._proc(path, queries)
        return self._memory.get(path)

    async def put(
        self,
        path: str,
        content: bytes,
        content_format: int | None,
        *,
        who: str,
        conditions: Conditions = ALWAYS,
    ) -> Changed:
        path = _writable(path)
        if _is_durable(path):
            wish = Wish(who, self._limits, content_format, conditions)
            return await self._change(Draft(PUT, path, content), wish)
        changed = self._memory.put(path, content, content_format, conditions)
        self._wake(path)
        return changed

    async def post(
        self,
        path: str,
        content: bytes,
        content_format: int | None,
        *,
        who: str,
        conditions: Conditions = ALWAYS,
    ) -> Changed:
        path = _writable(path)
        if _is_durable(path):
            wish = Wish(who, self._limits, content_format, conditions)
            return await self._change(Draft(POST, path, content), wish)
        changed = self._memory.post(path, content, content_format, conditions)
        self._wake(path)
        return changed

    async def delete(self, path: str, *, who: str, conditions: Conditions = ALWAYS) -> Changed:
        path = _writable(path)
        if _is_durable(path):
            wish = Wish(who, self._limits, None, conditions)
            return await self._change(Draft(DELETE, path, b""), wish)
        changed = self._memory.delete(path, conditions)
        self._wake(path)
        return changed

    def watch(self, path: str, changed: Callable[[], None]) -> Callable[[], None]:
        path = paths.of_text(path)
        self._watchers.setdefault(path, []).append(changed)

        def unwatch() -> None:
            watchers = self._watchers.get(path, [])
            if changed in watchers:
                watchers.remove(changed)
            if not watchers:
                self._watchers.pop(path, None)

        return unwatch

    async def _proc(self, path: str, queries: Sequence[str]) -> Found:
        proc.check(path, queries)
        if path == proc.VERSION:
            return proc.version()
        if path == proc.USAGE:
            totals = await asyncio.to_thread(self._store.read, Totals.read)
            in_memory = Totals(len(self._memory), self._memory.size_bytes)
            return proc.usage(totals, in_memory, (self._limits, self._memory.limits))
        page = proc.page_of(queries)
        parts = await asyncio.to_thread(self._store.read, lambda reader: reader.parts.lasts(*page))
        durable = [(part.path, part.size_bytes, part.content_format) for part in parts]
        return proc.listing([*durable, *self._memory.listed(*page)], page.limit)

    async def _contents(self, path: str) -> Contents:
        def read(reader: Reader) -> tuple[Contents, list[int]]:
            held = reader.parts.of(path)
            return assembled(path, held), [part.at for part, _ in held]

        try:
            contents, indexes = await asyncio.to_thread(self._store.read, read)
        except IntegrityError as error:
            self._integrity.found(error, door=_DOOR)
            raise
        for index in indexes:
            self._integrity.sound(index)
        return contents

    async def _change(self, draft: Draft, wish: Wish) -> Changed:
        """Goes on to its end, and wakes who watches, whether or not somebody waits for it."""
        size_bytes = len(draft.body)
        if size_bytes and self._pending_bytes + size_bytes > MAX_PENDING_BYTES:
            raise BusyError(f"{self._pending_bytes} bytes are waiting for the writer")
        future: asyncio.Future[Any] = self._submit(Submission(draft, wish=wish))
        self._pending_bytes += size_bytes
        future.add_done_callback(lambda done: self._done(draft.source, size_bytes, done))
        applied: Applied = await asyncio.shield(future)
        return Changed(applied.etag, applied.created)

    def _done(self, path: str, size_bytes: int, future: "asyncio.Future[Any]") -> None:
        self._pending_bytes -= size_bytes
        error = future.exception()
        if error is None:
            applied: Applied = future.result()
            if applied.superseded is not None:
                self.on_superseded(applied.superseded)
            self._wake(path)
        elif isinstance(error, StoreFailedError):
            self._wake(path)  # it may have been kept: whoever watches looks
        elif isinstance(error, IntegrityError) and error.index >= 0:
            self._integrity.found(error, door=_DOOR)

    def _wake(self, path: str) -> None:
        for changed in tuple(self._watchers.get(path, ())):
            changed()


def _is_durable(path: str) -> bool:
    return paths.namespace_of(path) in paths.DURABLE


def _writable(path: str) -> str:
    path = paths.of_text(path)
    if paths.namespace_of(path) == paths.PROC:
        raise MethodError(f"{path} is read-only")
    return path
