"""A store in memory: for tests and for trying things out. It can be told to fail."""

import copy
from collections.abc import Callable, Sequence

from gateway.store import Entry, Node, Page, Query, Reader, Result, Transaction


class MemoryStore:
    """`fail_with` is raised by the next `transact`, once, before or after it kept the work."""

    def __init__(self) -> None:
        self._data = _Data()
        self.fail_with: Exception | None = None
        self.fail_after_keeping = False

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        staged = copy.deepcopy(self._data)
        result = work(staged)
        failure, self.fail_with = self.fail_with, None
        if failure is None or self.fail_after_keeping:
            self._data = staged
        if failure is not None:
            raise failure
        return result

    def read(self, work: Callable[[Reader], Result]) -> Result:
        return work(self._data)

    def close(self) -> None:
        pass


class _Data:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._nodes: dict[Node, bytes] = {}
        self._numbers: dict[tuple[bytes, int, int], int] = {}
        self._state: dict[str, bytes] = {}

    def last(self) -> Entry | None:
        return self._entries[-1] if self._entries else None

    def entries(self, start: int, stop: int) -> list[Entry]:
        return self._entries[max(start, 0) : max(stop, 0)]

    def select(self, query: Query) -> Page:
        end = min(query.after + 1 + query.scan, len(self._entries))
        found: list[Entry] = []
        for entry in self._entries[query.after + 1 : end]:
            if _matches(entry, query):
                found.append(entry)
                if len(found) == query.limit:
                    return Page(found, entry.index)
        return Page(found, max(query.after, end - 1))

    def nodes(self, level: int, start: int, stop: int) -> list[bytes]:
        return [self._nodes[level, n] for n in range(start, stop) if (level, n) in self._nodes]

    def number(self, kid: bytes, epoch: int, sequence: int) -> int | None:
        return self._numbers.get((kid, epoch, sequence))

    def state(self, key: str) -> bytes | None:
        return self._state.get(key)

    def append(self, entries: Sequence[Entry]) -> None:
        self._entries.extend(entries)

    def put_node(self, node: Node, value: bytes) -> None:
        self._nodes[node] = value

    def put_number(self, kid: bytes, epoch: int, sequence: int, index: int) -> None:
        self._numbers[kid, epoch, sequence] = index

    def put_state(self, key: str, value: bytes) -> None:
        self._state[key] = value


def _matches(entry: Entry, query: Query) -> bool:
    return (
        query.kind in (None, entry.kind)
        and query.source in (None, entry.source)
        and (query.since_ms is None or entry.received_ms >= query.since_ms)
        and (query.until_ms is None or entry.received_ms < query.until_ms)
    )
