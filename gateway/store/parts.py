"""What durable resources consist of, as one SQLite connection sees it: all SQL of `resources`."""

from collections.abc import Hashable
from typing import Any

import apsw

from gateway.errors import IntegrityError
from gateway.store import Held, Part, Selection
from gateway.store.columns import COLUMNS, entry_of

_LAST_LETTER = "\U0010ffff"
_PART = (
    "SELECT coalesce(CAST(r.path AS BLOB), x''), coalesce(CAST(r.position AS INTEGER), 0),"
    " coalesce(CAST(r.idx AS INTEGER), -1), coalesce(CAST(r.size_bytes AS INTEGER), 0),"
    " CAST(r.format AS INTEGER), coalesce((SELECT CAST(f.idx AS INTEGER) FROM resources AS f"
    " WHERE f.path = r.path AND f.position = 0), -1)"
)
_PARTS = (
    _PART + "," + COLUMNS + "FROM resources AS r LEFT JOIN entries ON entries.idx = r.idx"
    " LEFT JOIN bodies ON bodies.idx = entries.idx"
)
_LAST = _PART + " FROM resources AS r WHERE path = ? ORDER BY position DESC LIMIT 1"
_LASTS = (
    _PART + ", max(r.position) FROM resources AS r WHERE path > ? AND path >= ? AND path < ?"
    " GROUP BY path ORDER BY path LIMIT ?"
)
_AFTER = " WHERE (r.path, r.position) > (?, ?)"
_IN_ORDER = " ORDER BY r.path, r.position"
_AMONG = (
    "SELECT e.idx FROM entries AS e JOIN resources AS r ON r.path = e.source AND r.idx = e.idx"
    " WHERE e.idx >= :start AND e.idx < :stop AND (:kind IS NULL OR e.kind = :kind)"
    " AND (:source IS NULL OR e.source = :source) ORDER BY e.idx"
)


class SqliteParts:
    def __init__(self, connection: apsw.Connection, unreadable: set[Hashable]) -> None:
        self._unreadable = unreadable
        self._execute = connection.execute

    def last(self, path: str) -> Part | None:
        found: list[Any] = []
        if path not in self._unreadable:
            try:
                found = list(self._execute(_LAST, (path,)))
            except apsw.CorruptError:
                self._unreadable.add(path)
        if path in self._unreadable:
            raise IntegrityError(-1, f"{path} cannot be looked up: the ledger is damaged there")
        return _part(*found[0]) if found else None

    def of(self, path: str) -> list[Held]:
        rows = self._execute(_PARTS + " WHERE r.path = ?" + _IN_ORDER, (path,))
        return [_held(row) for row in rows]

    def lasts(self, after: str, prefix: str, limit: int) -> list[Part]:
        rows = self._execute(_LASTS, (after, prefix, prefix + _LAST_LETTER, limit))
        return [_part(*row[:6]) for row in rows]

    def all(self, after: tuple[str, int] | None, limit: int) -> list[Held]:
        where = _AFTER if after else ""
        rows = self._execute(_PARTS + where + _IN_ORDER + " LIMIT ?", (*(after or ()), limit))
        return [_held(row) for row in rows]

    def among(self, selection: Selection) -> list[int]:
        return [row[0] for row in self._execute(_AMONG, selection._asdict())]

    def put(self, part: Part) -> None:
        self._execute(
            "INSERT INTO resources (path, position, idx, size_bytes, format)"
            " VALUES (?, ?, ?, ?, ?)",
            part[:5],
        )

    def drop(self, path: str) -> None:
        self._execute("DELETE FROM resources WHERE path = ?", (path,))


def _part(path: bytes, *rest: Any) -> Part:
    return Part(path.decode(errors="replace"), *rest)


def _held(row: Any) -> Held:
    entry = row[6:]
    return Held(_part(*row[:6]), None if entry[0] is None else entry_of(*entry))
