"""The SQLite store: WAL, synchronous=FULL, one connection that writes and checkpoints.

Through apsw, which carries its own SQLite: distributions ship versions with the WAL-reset
bug (3.7.0 to 3.51.2). Readers are read-only connections, borrowed one at a time.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from gateway.errors import ConfigError, StoreFailedError, StoreFullError
from gateway.store import PAGE_BYTES, Reader, Result, Sizes, Transaction, schema, wal
from gateway.store.files import on_disk
from gateway.store.readers import Readers
from gateway.store.view import SqliteView

_READERS = 4
_BUSY_TIMEOUT_MS = 5000
_LOG_WAIT_MS = 250  # for readers that keep the log from being emptied; ours read in short steps
_CHECKPOINT_PAGES = 1000  # SQLite's own default


class SqliteStore:
    """`create` makes the file; without it a missing one is an error, never a new ledger."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.exists():
            raise ConfigError(f"no ledger at {path}", "run `tallystick init DIR` first")
        self._path, self._log = path, path.with_name(path.name + "-wal")
        self._max_log_bytes: int | None = None
        with mapped_errors():
            self._writer = apsw.Connection(str(path))
            _prepare(self._writer, path, create)
            self._readers = Readers([open_reader(path) for _ in range(_READERS)])

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        if not self._log_is_short(_LOG_WAIT_MS):
            raise StoreFullError("the log cannot be emptied: somebody reads an old state of it")
        unreadable: set[Hashable] = set()
        try:
            return self._transact(work, unreadable)
        except StoreFailedError:
            if not unreadable:
                raise
            # SQLite writes nothing once it has met damage: again, without looking there
            return self._transact(work, unreadable)

    def read(self, work: Callable[[Reader], Result]) -> Result:
        with self._view() as view:
            return work(view)

    def sizes(self) -> Sizes:
        with self._view() as view:
            used_bytes = view.used_bytes()
        return Sizes(used_bytes, _size(self._path), _size(self._log))

    def used_bytes(self) -> int:
        with mapped_errors():
            return SqliteView(self._writer).used_bytes()

    def left_over(self) -> str:
        """What SQLite did not take from the log of an earlier life; ask before the first write."""
        with mapped_errors(), on_disk(self._log.name):
            taken, _ = self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
            return wal.left_over(self._log, taken)

    def limit_pages(self, pages: int) -> None:
        with mapped_errors():
            self._writer.pragma("max_page_count", pages)

    def limit_log(self, max_bytes: int) -> None:
        self._max_log_bytes = max_bytes
        half = max_bytes // 2  # emptied there as a rule, so that nobody waits at the limit
        with mapped_errors():
            self._writer.pragma("wal_autocheckpoint", min(half // PAGE_BYTES, _CHECKPOINT_PAGES))
            self._writer.pragma("journal_size_limit", half)

    def release(self, max_pages: int) -> int:
        if not self._log_is_short(0):
            return 0
        with mapped_errors():
            before = self._writer.pragma("page_count")
            self._writer.execute(f"PRAGMA incremental_vacuum({max_pages})").fetchall()
            return int(before - self._writer.pragma("page_count"))

    def empty_log(self, wait_ms: int = 0) -> bool:
        with mapped_errors():
            self._writer.set_busy_timeout(wait_ms)
            try:
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            except apsw.BusyError:
                return False
            finally:
                self._writer.set_busy_timeout(_BUSY_TIMEOUT_MS)
        return True

    def close(self) -> None:
        self._readers.close()
        self._writer.close()

    @contextmanager
    def _view(self) -> Iterator[SqliteView]:
        with self._readers.one() as connection, _view_of(connection) as view:
            yield view

    def _transact(self, work: Callable[[Transaction], Result], unreadable: set[Hashable]) -> Result:
        with transaction(self._writer):
            return work(SqliteView(self._writer, unreadable))

    def _log_is_short(self, wait_ms: int) -> bool:
        """Within its limit, which may take emptying it."""
        if self._max_log_bytes is None or self._writer.in_transaction:  # that is rolled back first
            return True
        return _size(self._log) < self._max_log_bytes or self.empty_log(wait_ms)


class SqliteReader:
    """A ledger's file, read beside whoever writes it. Nothing of it is changed; one thread.

    ConfigError where it is none, StoreFailedError where it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise ConfigError(f"no ledger at {path}", "name another directory")
        with mapped_errors():
            self._connection = open_reader(path)
            try:
                schema.check(self._connection, path)
            except BaseException:
                self._connection.close()
                raise

    def read(self, work: Callable[[Reader], Result]) -> Result:
        with _view_of(self._connection) as view:
            return work(view)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def looking_at(path: Path) -> Iterator[SqliteView]:
    """One view of a ledger's file, of which nothing is changed, not even its log.

    ConfigError where there is none, StoreFailedError where it cannot be read.
    """
    if not path.exists():
        raise ConfigError(f"no ledger at {path}", "name another directory")
    with mapped_errors():
        connection = open_reader(path)
        try:
            connection.execute("BEGIN")
            yield SqliteView(connection)
        finally:
            connection.close()


@contextmanager
def _view_of(connection: apsw.Connection) -> Iterator[SqliteView]:
    with mapped_errors():
        connection.execute("BEGIN")
        try:
            yield SqliteView(connection)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")  # a commit fails where damage was met


def _prepare(connection: apsw.Connection, path: Path, create: bool) -> None:
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    if create:
        schema.create(connection)
    schema.check(connection, path)
    keep_journal(connection, path, "wal")
    connection.pragma("synchronous", "full")
    schema.bring_up_to_date(connection, path)
    connection.pragma("secure_delete", 1)  # zeros over what is deleted, and over free pages
    connection.pragma("journal_size_limit", _CHECKPOINT_PAGES * PAGE_BYTES)


def keep_journal(connection: apsw.Connection, path: Path, mode: str) -> None:
    """ConfigError where SQLite cannot: it goes on in another mode, and only names that one."""
    taken = connection.pragma("journal_mode", mode)
    if taken != mode:
        raise ConfigError(
            f"{path} cannot have SQLite's journal_mode {mode}, only {taken}: a power cut could"
            " undo what was answered",
            "put the directory on a local file system",
        )


def version() -> tuple[int, int, int]:
    """Of the SQLite that we use, whatever the system has."""
    major, minor, patch = apsw.sqlite_lib_version().split(".")[:3]
    return int(major), int(minor), int(patch)


def open_reader(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    schema.stand_in(connection)
    connection.pragma("query_only", 1)
    return connection


def _size(path: Path) -> int:
    """A file that is not there takes nothing."""
    with on_disk(path.name):
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0


@contextmanager
def mapped_errors(what: str = "the ledger") -> Iterator[None]:
    """SQLite's errors as ours, at the border."""
    try:
        yield
    except apsw.FullError as error:
        raise StoreFullError(str(error)) from error
    except apsw.NotADBError as error:
        raise ConfigError(f"{what} is no SQLite file: {error}", "restore a backup") from error
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
