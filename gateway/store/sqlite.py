"""The SQLite store: WAL, synchronous=FULL, one connection that writes and checkpoints.

Through apsw, which carries its own SQLite: distributions ship versions with the WAL-reset
bug (3.7.0 to 3.51.2). Readers are read-only connections, borrowed one at a time.
"""

import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec

from gateway.errors import ConfigError, StoreFailedError, StoreFullError
from gateway.store import Entry, Node, Page, Query, Reader, Result, Transaction

APPLICATION_ID = 0x74616C79  # "taly"
SCHEMA_VERSION = 1
_READERS = 4
_BUSY_TIMEOUT_MS = 5000
_MAX_INTEGER = (1 << 63) - 1
# Text as bytes: a damaged kind or source is for fsck to name, not for SQLite's reader to choke on.
_ENTRY = (
    "SELECT entries.idx, CAST(kind AS BLOB), CAST(source AS BLOB), received_ms, leaf, chain,"
    " coalesce(salt, x''), body FROM entries LEFT JOIN bodies ON bodies.idx = entries.idx "
)
_MATCHING = (
    "WHERE entries.idx > :after AND entries.idx < :end"
    " AND (:kind IS NULL OR kind = :kind) AND (:source IS NULL OR source = :source)"
    " AND (:since IS NULL OR received_ms >= :since) AND (:until IS NULL OR received_ms < :until)"
    " ORDER BY entries.idx LIMIT :limit"
)


class SqliteStore:
    """`create` makes the file; without it a missing one is an error, never a new ledger."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.exists():
            raise ConfigError(f"no ledger at {path}", "run `tallystick init DIR` first")
        self._path = path
        with mapped_errors():
            self._writer = apsw.Connection(str(path))
            _prepare(self._writer, path, create)
        self._readers: queue.SimpleQueue[apsw.Connection] = queue.SimpleQueue()
        with mapped_errors():
            for _ in range(_READERS):
                self._readers.put(_open_reader(path))

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        with transaction(self._writer):
            return work(_Transaction(self._writer))

    def read(self, work: Callable[[Reader], Result]) -> Result:
        connection = self._readers.get()
        try:
            with mapped_errors():
                connection.execute("BEGIN")
                try:
                    return work(_Transaction(connection))
                finally:
                    if connection.in_transaction:
                        connection.execute("COMMIT")
        finally:
            self._readers.put(connection)

    def limit_pages(self, pages: int) -> None:
        """Let the file grow to at most `pages` pages; a full one refuses with StoreFullError."""
        self._writer.pragma("max_page_count", pages)

    def close(self) -> None:
        for _ in range(_READERS):
            self._readers.get().close()
        self._writer.close()


def _prepare(connection: apsw.Connection, path: Path, create: bool) -> None:
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    if create and not list(connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1")):
        schema = Path(__file__).with_name("schema.sql").read_text()
        connection.pragma("auto_vacuum", "incremental")  # what is deleted goes back to the disk
        with connection:
            connection.execute(schema)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", SCHEMA_VERSION)
    if connection.pragma("application_id") != APPLICATION_ID:
        raise ConfigError(f"{path} is an SQLite file, but no ledger", "name another directory")
    if connection.pragma("user_version") != SCHEMA_VERSION:
        raise ConfigError(
            f"{path} has schema {connection.pragma('user_version')}, this program {SCHEMA_VERSION}",
            "use the version of tallystick that wrote it",
        )
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")


def _open_reader(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    connection.pragma("query_only", 1)
    return connection


@contextmanager
def mapped_errors() -> Iterator[None]:
    """SQLite's errors as ours, at the border."""
    try:
        yield
    except apsw.FullError as error:
        raise StoreFullError(str(error)) from error
    except apsw.NotADBError as error:
        raise ConfigError(f"the ledger is no SQLite file: {error}", "restore a backup") from error
    except apsw.Error as error:
        raise StoreFailedError(f"{type(error).__name__}: {error}") from error


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """All that is done meanwhile is kept, or none of it; SQLite's errors as ours."""
    with mapped_errors():
        if connection.in_transaction:  # the last one failed, and so did its rollback
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # SQLite may have rolled back by itself (SQLITE_FULL, SQLITE_IOERR)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _entry(index: int, kind: bytes, source: bytes, *rest: Any) -> Entry:
    return Entry(index, kind.decode(errors="replace"), source.decode(errors="replace"), *rest)


class _Transaction:
    """Both views: a reader's connection is read-only, so its writes fail by themselves."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany

    def _one(self, sql: str, *values: object) -> Any:
        return next(iter(self._execute(sql, values)), None)

    def last(self) -> Entry | None:
        row = self._one(_ENTRY + "ORDER BY entries.idx DESC LIMIT 1")
        return _entry(*row) if row else None

    def entries(self, start: int, stop: int) -> list[Entry]:
        rows = self._execute(
            _ENTRY + "WHERE entries.idx >= ? AND entries.idx < ? ORDER BY entries.idx",
            (start, stop),
        )
        return [_entry(*row) for row in rows]

    def select(self, query: Query) -> Page:
        end = min(query.after + 1 + query.scan, _MAX_INTEGER)
        found = [
            _entry(*row)
            for row in self._execute(
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
        ]
        if len(found) == query.limit:
            return Page(found, found[-1].index)
        size = self._one("SELECT coalesce(max(idx), -1) FROM entries")[0]
        return Page(found, max(query.after, min(end - 1, size)))

    def nodes(self, level: int, start: int, stop: int) -> list[bytes]:
        rows = self._execute(
            "SELECT hash FROM nodes WHERE level = ? AND n >= ? AND n < ? ORDER BY n",
            (level, start, stop),
        )
        return [row[0] for row in rows]

    def number(self, kid: bytes, epoch: int, sequence: int) -> int | None:
        row = self._one(
            "SELECT idx FROM numbers WHERE kid = ? AND epoch = ? AND sequence = ?",
            kid,
            epoch,
            sequence,
        )
        return row[0] if row else None

    def state(self, key: str) -> bytes | None:
        row = self._one("SELECT value FROM state WHERE key = ?", key)
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

    def put_number(self, kid: bytes, epoch: int, sequence: int, index: int) -> None:
        self._execute(
            "INSERT INTO numbers (kid, epoch, sequence, idx) VALUES (?, ?, ?, ?)",
            (kid, epoch, sequence, index),
        )

    def put_state(self, key: str, value: bytes) -> None:
        self._execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", (key, value))
