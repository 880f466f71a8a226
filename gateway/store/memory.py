"""A store in memory: for tests and for trying things out. It can be told to fail."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.errors import StoreFullError
from gateway.store import (
    PAGE_BYTES,
    Deleted,
    Entry,
    Held,
    Node,
    Page,
    Part,
    Query,
    Reader,
    Result,
    Selection,
    Sizes,
    Stray,
    Taken,
    Transaction,
)
from protocol.prune import KEPT_KINDS


class MemoryStore:
    """`fail_with` is raised by the next `transact`, once, before or after it kept the work."""

    def __init__(self) -> None:
        self._data = _Data()
        self.fail_with: Exception | None = None
        self.fail_after_keeping = False
        self._file_pages = 0  # grows with what is kept, shrinks by `release` only
        self._max_pages: int | None = None

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        staged = self._data.copy()
        result = work(staged)
        if self._max_pages is not None and staged.pages() > max(self._max_pages, self._file_pages):
            raise StoreFullError(f"more than {self._max_pages} pages")
        failure, self.fail_with = self.fail_with, None
        if failure is None or self.fail_after_keeping:
            self._data = staged
            self._file_pages = max(self._file_pages, staged.pages())
        if failure is not None:
            raise failure
        return result

    def read(self, work: Callable[[Reader], Result]) -> Result:
        return work(self._data)

    def sizes(self) -> Sizes:
        return Sizes(self.used_bytes(), self._file_pages * PAGE_BYTES, 0)

    def used_bytes(self) -> int:
        return self._data.pages() * PAGE_BYTES

    def limit_pages(self, pages: int) -> None:
        self._max_pages = pages

    def limit_log(self, max_bytes: int) -> None:
        """There is no log."""

    def release(self, max_pages: int) -> int:
        released = min(max_pages, self._file_pages - self._data.pages())
        self._file_pages -= released
        return released

    def empty_log(self, wait_ms: int = 0) -> bool:
        return True

    def close(self) -> None:
        pass


class _Data:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._nodes: dict[Node, bytes] = {}
        self._numbers: dict[tuple[bytes, int, int], int] = {}
        self._state: dict[str, bytes] = {}
        self._tails: dict[int, bytes] = {}
        self.parts = _Parts(self._entries)

    def copy(self) -> "_Data":
        """Its own tables of the same rows: nobody changes a row."""
        twin = _Data()
        twin._entries.extend(self._entries)
        twin._nodes.update(self._nodes)
        twin._numbers.update(self._numbers)
        twin._state.update(self._state)
        twin._tails.update(self._tails)
        twin.parts.take(self.parts)
        return twin

    def pages(self) -> int:
        """As if leaves and bodies were packed without a gap, and nothing else took space."""
        taken = sum(len(e.leaf) + len(e.salt) + len(e.body or b"") for e in self._entries)
        return -(-taken // PAGE_BYTES)

    def last(self) -> Entry | None:
        return self._entries[-1] if self._entries else None

    def entries(self, start: int, stop: int) -> list[Entry]:
        return self._entries[max(start, 0) : max(stop, 0)]

    def leaves(self, start: int, stop: int) -> list[bytes]:
        return [entry.leaf for entry in self.entries(start, stop)]

    def select(self, query: Query) -> Page:
        end = min(query.after + 1 + query.scan, len(self._entries))
        found: list[Entry] = []
        size_bytes = 0
        for entry in self._entries[query.after + 1 : end]:
            if _matches(entry, query):
                found.append(entry)
                size_bytes += len(entry.body or b"")
                if len(found) == query.limit or size_bytes >= query.max_bytes:
                    return Page(found, entry.index)
        return Page(found, max(query.after, end - 1))

    def nodes(self, level: int, start: int, stop: int) -> list[bytes]:
        return [self._nodes[level, n] for n in range(start, stop) if (level, n) in self._nodes]

    def number(self, kid: bytes, epoch: int, sequence: int) -> int | None:
        return self._numbers.get((kid, epoch, sequence))

    def highest(self, kid: bytes, epoch: int) -> int | None:
        return max((n[2] for n in self._numbers if n[:2] == (kid, epoch)), default=-1)

    def numbers(self, after: tuple[bytes, int, int] | None, limit: int) -> list[Taken]:
        later = sorted(number for number in self._numbers if after is None or number > after)
        return [
            Taken(*number, index, next(iter(self.entries(index, index + 1)), None))
            for number in later[:limit]
            for index in [self._numbers[number]]
        ]

    def strays(self) -> list[Stray]:
        size = len(self._entries)
        first = {
            "a tail": min((index for index in self._tails if index >= size), default=None),
            "a subtree": min(
                (n << level for level, n in self._nodes if n >= size >> level), default=None
            ),
        }
        return [Stray(what, index) for what, index in first.items() if index is not None]

    def state(self, key: str) -> bytes | None:
        return self._state.get(key)

    def bodies(self, selection: Selection, limit: int) -> list[tuple[int, int]]:
        return [(entry.index, len(entry.body or b"")) for entry in self._selected(selection)][
            :limit
        ]

    def first_later(self, start: int, stop: int, moment_ms: int) -> int:
        later = (e.index for e in self.entries(start, stop) if e.received_ms >= moment_ms)
        return next(later, stop)

    def tails(self, selection: Selection, size: int) -> list[tuple[int, bytes]]:
        return [(entry.index, (entry.body or b"")[-size:]) for entry in self._selected(selection)]

    def tail(self, index: int) -> bytes | None:
        return self._tails.get(index)

    def append(self, entries: Sequence[Entry]) -> None:
        self._entries.extend(entries)

    def put_node(self, node: Node, value: bytes) -> None:
        self._nodes[node] = value

    def put_numbers(self, numbers: Iterable[tuple[bytes, int, int, int]]) -> None:
        self._numbers.update({(kid, epoch, n): index for kid, epoch, n, index in numbers})

    def put_state(self, key: str, value: bytes) -> None:
        self._state[key] = value

    def delete_bodies(self, selection: Selection) -> Deleted:
        gone = self._selected(selection)
        for entry in gone:
            self._entries[entry.index] = msgspec.structs.replace(entry, salt=b"", body=None)
        return Deleted(len(gone), sum(len(entry.body or b"") for entry in gone))

    def put_tails(self, tails: Sequence[tuple[int, bytes]]) -> None:
        self._tails.update(tails)

    def _selected(self, selection: Selection) -> list[Entry]:
        return [
            entry
            for entry in self.entries(selection.start, selection.stop)
            if entry.body is not None
            and selection.kind in (None, entry.kind)
            and selection.source in (None, entry.source)
            and entry.kind not in KEPT_KINDS
        ]


class _Parts:
    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._parts: dict[str, list[Part]] = {}

    def take(self, other: "_Parts") -> None:
        self._parts = {path: list(parts) for path, parts in other._parts.items()}

    def last(self, path: str) -> Part | None:
        return self._parts[path][-1] if path in self._parts else None

    def of(self, path: str) -> list[Held]:
        return [self._held(part) for part in self._parts.get(path, ())]

    def lasts(self, after: str, prefix: str, limit: int) -> list[Part]:
        paths = sorted(p for p in self._parts if p > after and p.startswith(prefix))
        return [self._parts[path][-1] for path in paths[:limit]]

    def all(self, after: tuple[str, int] | None, limit: int) -> list[Held]:
        parts = (part for parts in self._parts.values() for part in parts)
        later = sorted(part for part in parts if after is None or part[:2] > after)
        return [self._held(part) for part in later[:limit]]

    def among(self, selection: Selection) -> list[int]:
        return sorted(
            part.at
            for parts in self._parts.values()
            for part in parts
            if self._is_among(part, selection)
        )

    def put(self, part: Part) -> None:
        self._parts.setdefault(part.path, []).append(part)

    def drop(self, path: str) -> None:
        self._parts.pop(path, None)

    def _is_among(self, part: Part, selection: Selection) -> bool:
        entry = self._held(part).entry
        return (
            entry is not None
            and entry.source == part.path
            and selection.start <= part.at < selection.stop
            and selection.kind in (None, entry.kind)
            and selection.source in (None, entry.source)
        )

    def _held(self, part: Part) -> Held:
        there = 0 <= part.at < len(self._entries)
        return Held(part, self._entries[part.at] if there else None)


def _matches(entry: Entry, query: Query) -> bool:
    return (
        query.kind in (None, entry.kind)
        and query.source in (None, entry.source)
        and (query.since_ms is None or entry.received_ms >= query.since_ms)
        and (query.until_ms is None or entry.received_ms < query.until_ms)
    )
