"""What one SQLite connection sees of a ledger, and puts into it: all SQL of entries and bodies."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

import apsw
import msgspec

from gateway.errors import IntegrityError
from gateway.store import PAGE_BYTES, Deleted, Entry, Node, Page, Query, Selection, Stray, Taken
from gateway.store.columns import COLUMNS, entry_of
from gateway.store.parts import SqliteParts
from protocol.prune import KEPT_KINDS

_MAX_INTEGER = (1 << 63) - 1
_ENTRY = "SELECT" + COLUMNS + "FROM entries LEFT JOIN bodies ON bodies.idx = entries.idx "
_MATCHING = (
    "WHERE entries.idx > :after AND entries.idx < :end"
    " AND (:kind IS NULL OR kind = :kind) AND (:source IS NULL OR source = :source)"
    " AND (:since IS NULL OR received_ms >= :since) AND (:until IS NULL OR received_ms < :until)"
    " ORDER BY entries.idx LIMIT :limit"
)
_NUMBER = "SELECT idx FROM numbers WHERE kid = ? AND epoch = ? AND sequence = ?"
_HIGHEST = "SELECT coalesce(max(sequence), -1) FROM numbers WHERE kid = ? AND epoch = ?"
_NUMBERS = (
    # what has lost its type is found by nobody who looks for it: it is of no kid
    "SELECT iif(typeof(kid) = 'blob' AND typeof(epoch) = 'integer'"
    " AND typeof(sequence) = 'integer', kid, x''), CAST(epoch AS INTEGER),"
    " CAST(sequence AS INTEGER), CAST(numbers.idx AS INTEGER),"
    + COLUMNS
    + "FROM numbers LEFT JOIN entries ON entries.idx = numbers.idx"
    " LEFT JOIN bodies ON bodies.idx = entries.idx"
)
_AFTER = " WHERE (kid, epoch, sequence) > (?, ?, ?)"
_IN_ORDER = " ORDER BY kid, epoch, sequence LIMIT ?"
# No level past 56: a shift of an index by more has no meaning in SQLite.
_STRAY_NODES = (
    "SELECT n << min(level, 56) FROM nodes WHERE level < 8 OR level > 56 OR level % 8 OR n < 0"
    " OR n >= (SELECT coalesce(max(idx) + 1, 0) FROM entries) >> level ORDER BY 1 LIMIT 1"
)
_STRAYS = {
    "an entry": "SELECT idx FROM entries WHERE idx < 0",
    **{
        what: f"SELECT idx FROM {table} WHERE idx < 0 OR"  # noqa: S608  # our own names
        " idx > (SELECT coalesce(max(idx), -1) FROM entries) ORDER BY idx LIMIT 1"
        for what, table in (("a body", "bodies"), ("a tail", "tails"))
    },
    "a subtree": _STRAY_NODES,
}
_IN_RANGE = (
    "WHERE bodies.idx >= :start AND bodies.idx < :stop AND EXISTS ("
    "SELECT 1 FROM entries WHERE entries.idx = bodies.idx"
    " AND (:kind IS NULL OR kind = :kind) AND (:source IS NULL OR source = :source)"
)
_NOT_KEPT = " AND kind NOT IN (" + ", ".join(f"'{kind}'" for kind in KEPT_KINDS) + "))"
_SELECTED = _IN_RANGE + _NOT_KEPT  # bodies that are there and may be deleted
_LENGTHS = "SELECT idx, length(body) FROM bodies "
_TAILS = "SELECT idx, substr(CAST(body AS BLOB), -:size) FROM bodies "
_TOTAL = "SELECT count(*), coalesce(sum(length(body)), 0) FROM bodies "
_DELETE = "DELETE FROM bodies "


class SqliteView:
    """Both views: a reader's connection is read-only, so its writes fail by themselves.

    `unreadable` are numbers and paths that damage hides. More are added as they are found; SQLite
    then lets nothing be written before a rollback.
    """

    def __init__(
        self, connection: apsw.Connection, unreadable: set[Hashable] | None = None
    ) -> None:
        self._unreadable = set() if unreadable is None else unreadable
        self.parts = SqliteParts(connection, self._unreadable)
        self._execute = connection.execute
        self._executemany = connection.executemany

    def _one(self, sql: str, *values: object) -> Any:
        return next(iter(self._execute(sql, values)), None)

    def pages(self) -> tuple[int, int]:
        """(pages of the file, free ones among them)."""
        return self._one("PRAGMA page_count")[0], self._one("PRAGMA freelist_count")[0]

    def used_bytes(self) -> int:
        """What is in use of the file."""
        pages, free = self.pages()
        return (pages - free) * PAGE_BYTES

    def last(self) -> Entry | None:
        row = self._one(_ENTRY + "ORDER BY entries.idx DESC LIMIT 1")
        return entry_of(*row) if row else None

    def entries(self, start: int, stop: int) -> list[Entry]:
        rows = self._execute(
            _ENTRY + "WHERE entries.idx >= ? AND entries.idx < ? ORDER BY entries.idx",
            (start, stop),
        )
        return [entry_of(*row) for row in rows]

    def leaves(self, start: int, stop: int) -> list[bytes]:
        rows = self._execute(
            "SELECT coalesce(CAST(leaf AS BLOB), x'') FROM entries"
            " WHERE idx >= ? AND idx < ? ORDER BY idx",
            (start, stop),
        )
        return [row[0] for row in rows]

    def select(self, query: Query) -> Page:
        end = min(query.after + 1 + query.scan, _MAX_INTEGER)
        rows = self._execute(
            _ENTRY + _MATCHING,
            {
                "after": query.after,
                "end": end,
                "kind": query.kind,
                "source": query.source,
                "since": query.since_ms,
                "until": query.until_ms,
                "limit": query.limit,
            },
        )
        found, size_bytes = [], 0
        for row in rows:
            found.append(entry_of(*row))
            size_bytes += len(row[-1] or b"")
            if size_bytes >= query.max_bytes:
                return Page(found, found[-1].index)
        if len(found) == query.limit:
            return Page(found, found[-1].index)
        size = self._one("SELECT coalesce(max(idx), -1) FROM entries")[0]
        return Page(found, max(query.after, min(end - 1, size)))

    def nodes(self, level: int, start: int, stop: int) -> list[bytes]:
        rows = self._execute(
            "SELECT coalesce(CAST(hash AS BLOB), x'') FROM nodes"
            " WHERE level = ? AND n >= ? AND n < ? ORDER BY n",
            (level, start, stop),
        )
        return [row[0] for row in rows]

    def number(self, kid: bytes, epoch: int, sequence: int) -> int | None:
        number = (kid, epoch, sequence)
        row = None
        if number not in self._unreadable:
            try:
                row = self._one(_NUMBER, *number)
            except apsw.CorruptError:
                self._unreadable.add(number)
        if number in self._unreadable:
            raise IntegrityError(-1, "the number cannot be looked up: the ledger is damaged there")
        if row is None:
            return None
        if not isinstance(row[0], int):
            raise IntegrityError(-1, f"the number leads to {row[0]!r}")
        return row[0]

    def highest(self, kid: bytes, epoch: int) -> int | None:
        hidden = (kid, epoch, -1)
        if hidden in self._unreadable:
            return None
        try:
            row = self._one(_HIGHEST, kid, epoch)
        except apsw.CorruptError:
            self._unreadable.add(hidden)
            return None
        return row[0] if isinstance(row[0], int) else None

    def numbers_but(self, kids: tuple[bytes, bytes, bytes]) -> Iterator[tuple[bytes, int, int]]:
        """Every number that is taken, in order, without those under one of `kids`."""
        return iter(
            self._execute(
                "SELECT kid, epoch, sequence FROM numbers WHERE kid NOT IN (?, ?, ?)", kids
            )
        )

    def numbers(self, after: tuple[bytes, int, int] | None, limit: int) -> list[Taken]:
        from_there = _NUMBERS + (_AFTER if after else "") + _IN_ORDER
        rows = self._execute(from_there, (*(after or ()), limit))
        return [
            Taken(kid, epoch, sequence, at, None if entry[0] is None else entry_of(*entry))
            for kid, epoch, sequence, at, *entry in rows
        ]

    def strays(self) -> list[Stray]:
        found = {what: self._one(sql) for what, sql in _STRAYS.items()}
        return [Stray(what, row[0]) for what, row in found.items() if row]

    def state(self, key: str) -> bytes | None:
        row = self._one("SELECT CAST(value AS BLOB) FROM state WHERE key = ?", key)
        return row[0] if row else None

    def bodies(self, selection: Selection, limit: int) -> list[tuple[int, int]]:
        return list(
            self._execute(
                _LENGTHS + _SELECTED + " ORDER BY idx LIMIT :limit",
                selection._asdict() | {"limit": limit},
            )
        )

    def first_later(self, start: int, stop: int, moment_ms: int) -> int:
        row = self._one(
            "SELECT idx FROM entries WHERE idx >= ? AND idx < ? AND received_ms >= ?"
            " ORDER BY idx LIMIT 1",
            start,
            stop,
            moment_ms,
        )
        return row[0] if row else stop

    def tails(self, selection: Selection, size: int) -> list[tuple[int, bytes]]:
        chosen = selection._asdict() | {"size": size}
        return list(self._execute(_TAILS + _SELECTED + " ORDER BY idx", chosen))

    def tail(self, index: int) -> bytes | None:
        row = self._one("SELECT CAST(tail AS BLOB) FROM tails WHERE idx = ?", index)
        return row[0] if row else None

    def append(self, entries: Sequence[Entry]) -> None:
        self._executemany(
            "INSERT INTO entries (idx, kind, source, received_ms, leaf, chain)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (msgspec.structs.astuple(entry)[:6] for entry in entries),
        )
        self._executemany(
            "INSERT INTO bodies (idx, salt, body) VALUES (?, ?, ?)",
            ((entry.index, entry.salt, entry.body) for entry in entries if entry.body is not None),
        )

    def put_node(self, node: Node, value: bytes) -> None:
        self._execute("INSERT INTO nodes (level, n, hash) VALUES (?, ?, ?)", (*node, value))

    def put_numbers(self, numbers: Iterable[tuple[bytes, int, int, int]]) -> None:
        self._executemany(
            "INSERT INTO numbers (kid, epoch, sequence, idx) VALUES (?, ?, ?, ?)", numbers
        )

    def put_state(self, key: str, value: bytes) -> None:
        self._execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", (key, value))

    def delete_bodies(self, selection: Selection) -> Deleted:
        chosen = selection._asdict()
        deleted = Deleted(*next(self._execute(_TOTAL + _SELECTED, chosen)))
        self._execute(_DELETE + _SELECTED, chosen)
        return deleted

    def put_tails(self, tails: Sequence[tuple[int, bytes]]) -> None:
        self._executemany("INSERT OR REPLACE INTO tails (idx, tail) VALUES (?, ?)", tails)
