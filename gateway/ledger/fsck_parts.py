"""Parts, checked: each resource consists of what its entries say, and of nothing else.

Each change but the newest of a path is followed by exactly one, and the newest is what the table
of parts ends with, unless it is a delete. So the changes that are followed, and the ends in the
table, have to be all changes, each once.
"""

import functools
from collections.abc import Callable, Sequence

from gateway.ledger.changes import Totals, kind_of_part
from gateway.ledger.fsck_facts import StateError
from gateway.ledger.indexes import Indexes
from gateway.store import Entry, Held, Part, Query, ReadableStore, Reader
from protocol import resource
from protocol.errors import ProtocolError, TamperedError
from protocol.resource import CHANGES, DELETE, POST, Change

_PAGE = 256  # entries
_PARTS = 64  # at once; each may be half a MiB


class PartCheck:
    """Sees every entry, then every part, both in order. In constant memory."""

    def __init__(self) -> None:
        self._changes = Indexes()  # those that something may follow
        self._followed = self._changes.another()
        self._counted = Totals(0, 0)
        self._last: Part | None = None
        self._size_bytes: int | None = 0  # of the parts so far; None where a body was deleted

    def check_entry(self, reader: Reader, entry: Entry) -> None:
        """TamperedError unless a change, which is sound by itself, follows one of its path."""
        if entry.kind not in CHANGES:
            return
        before = _followed_by(reader, entry)
        if before is not None:
            (leaf,) = reader.leaves(before, before + 1) or (b"",)
            if before >= entry.index or kind_of_part(leaf, entry.source) is None:
                what = f"entry {before} is no change of {entry.source}, which it should follow"
                raise TamperedError(entry.index, what)
            self._followed.add(before)
        if entry.kind != DELETE:
            self._changes.add(entry.index)

    def finish(self, store: ReadableStore, size: int, pause: Callable[[], None]) -> None:
        """Looks at the parts, after the first `size` entries were seen.

        In one view with the entries that have come since: the parts change with those. What is
        many of them is looked at before, in short views.
        """
        while size < store.read(_size_of) - _PAGE:
            size = store.read(functools.partial(self._look_at, size))
            pause()
        store.read(lambda reader: self._finish(reader, size))

    def _finish(self, reader: Reader, size: int) -> None:
        while size < _size_of(reader):
            size = self._look_at(size, reader)
        rows = reader.parts.all(None, _PARTS)
        while rows:
            self.check_parts(reader, rows)
            rows = reader.parts.all(rows[-1].part[:2], _PARTS)
        self.check_end(reader)

    def _look_at(self, first: int, reader: Reader) -> int:
        """A page of entries from `first` on; where the next one begins."""
        page = reader.select(Query(after=first - 1, limit=_PAGE, scan=_PAGE))
        for entry in page.entries:
            self.check_entry(reader, entry)
        return page.next_after + 1

    def check_parts(self, reader: Reader, rows: Sequence[Held]) -> None:
        """TamperedError unless each of them, in order, is a part in its place."""
        for part, entry in rows:
            if self._last is not None and self._last.path != part.path:
                self._end(self._last)
            if entry is None or kind_of_part(entry.leaf, part.path) is None:
                raise TamperedError(part.at, f"{part.path} consists of what is none of its changes")
            self._check_place(part, entry.kind, _followed_by(reader, entry))
            self._check_size(part, _said(entry))
            self._last = part

    def check_end(self, reader: Reader) -> None:
        """StateError unless nothing was missed, and nothing was there twice."""
        if self._last is not None:
            self._end(self._last)
        if self._followed.count != self._changes.count:
            raise StateError(
                f"{self._changes.count} changes of resources are there,"
                f" and {self._followed.count} are followed or in force"
            )
        if self._followed.product != self._changes.product:
            raise StateError("a resource is not as its newest change left it")
        if Totals.read(reader) != self._counted:
            raise StateError("how many resources there are is not what is counted")

    def _check_place(self, part: Part, kind: str, before: int | None) -> None:
        last = self._last
        if last is None:
            is_right = part.position == 0 and (kind != POST or before is None)
        else:
            place = (last.position + 1, last.content_format)
            is_right = kind == POST and before == last.at
            is_right = is_right and (part.position, part.content_format) == place
        if not is_right:
            raise TamperedError(part.at, f"it is not in its place in {part.path}")

    def _check_size(self, part: Part, said: Change | None) -> None:
        if said is None or self._size_bytes is None:
            self._size_bytes = None
            return
        self._size_bytes += len(said.content or b"")
        is_first = self._last is None
        if part.size_bytes != self._size_bytes or (
            is_first and part.content_format != said.content_format
        ):
            raise TamperedError(part.at, f"size or format beside {part.path} is another one")

    def _end(self, last: Part) -> None:
        self._followed.add(last.at)
        self._counted = self._counted.after(None, last)
        self._last, self._size_bytes = None, 0


def _size_of(reader: Reader) -> int:
    last = reader.last()
    return last.index + 1 if last else 0


def _followed_by(reader: Reader, entry: Entry) -> int | None:
    """The index that the change says it follows; of a deleted one what was kept of it says so."""
    said = _said(entry)
    if said is not None:
        return said.before
    return resource.before_of(reader.tail(entry.index) or b"")


def _said(entry: Entry) -> Change | None:
    if entry.body is None:
        return None
    try:
        return resource.decode(entry.kind, entry.body)
    except ProtocolError as error:
        raise TamperedError(entry.index, f"no change: {error}") from error
