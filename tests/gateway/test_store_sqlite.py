"""What only the SQLite store promises: durability, refusals, a disk that is full."""

import threading
from contextlib import contextmanager

import apsw
import pytest

from gateway.errors import ConfigError, IntegrityError, StoreFailedError, StoreFullError
from gateway.ledger import fsck
from gateway.store import PAGE_BYTES
from gateway.store.sqlite import SqliteStore
from tests.fakes import ORIGIN, FakeDevice, FakeGateway


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def store(path):
    store = SqliteStore(path, create=True)
    yield store
    store.close()


@contextmanager
def no_shared_memory():
    """As on a network file system: SQLite's default VFS for the length of a block."""
    vfs = apsw.VFS("tallystick-other", "unix-dotfile", makedefault=True)
    try:
        yield
    finally:
        vfs.unregister()


def damage(path, sql):
    connection = apsw.Connection(str(path))
    connection.execute(sql)
    connection.close()


def test_every_commit_is_synced_and_readers_do_not_wait(store):
    def pragmas(transaction):
        return [transaction._one(f"PRAGMA {name}")[0] for name in ("journal_mode", "synchronous")]

    assert store.transact(pragmas) == ["wal", 2]


def test_a_reader_cannot_write(store):
    with pytest.raises(StoreFailedError, match="ReadOnly"):
        store.read(lambda reader: reader.put_state("cursor", b"1"))

    assert store.read(lambda reader: reader.state("cursor")) is None


def test_a_reader_is_given_back_after_a_failure(store):
    for _ in range(9):
        with pytest.raises(ZeroDivisionError):
            store.read(lambda _: 1 / 0)

    assert store.read(lambda reader: reader.last()) is None


def test_a_missing_ledger_is_an_error_never_a_new_ledger(path):
    with pytest.raises(ConfigError, match="no ledger at"):
        SqliteStore(path)

    assert not path.exists()


@pytest.mark.parametrize("create", [True, False])
def test_a_file_system_without_a_write_ahead_log_is_refused(tmp_path, create):
    """There, SQLite would go on in a mode that may lose what was answered."""
    path = tmp_path / "ledger.sqlite"
    if not create:
        SqliteStore(path, create=True).close()
        damage(path, "PRAGMA journal_mode = delete")

    with no_shared_memory(), pytest.raises(ConfigError, match="only delete") as refusal:
        SqliteStore(path, create=create)

    assert refusal.value.fix == "put the directory on a local file system"


class Reading:
    """Threads that read a store again and again, as a check does, until they are refused."""

    def __init__(self, store: SqliteStore, count: int) -> None:
        self._store = store
        self.refusals: list[str] = []
        self.begun = threading.Barrier(count + 1)
        self.threads = [threading.Thread(target=self._read, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _read(self) -> None:
        self.begun.wait(9)
        try:
            while True:
                self._store.read(lambda reader: reader.last())
        except StoreFailedError as error:
            self.refusals.append(str(error))


def test_who_still_reads_when_the_store_is_closed_is_refused_and_does_not_wait_for_ever(path):
    store = SqliteStore(path, create=True)
    reading = Reading(store, 6)  # more than it has connections
    reading.begun.wait(9)

    store.close()

    for thread in reading.threads:
        thread.join(9)
    assert not any(thread.is_alive() for thread in reading.threads)
    assert reading.refusals == ["the store is closed"] * 6


REFUSED = [
    ("PRAGMA user_version = 3", "schema 3, this program 2"),
    ("PRAGMA application_id = 1", "an SQLite file, but no ledger"),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_a_file_that_is_not_ours_to_read_is_refused(path, sql, message):
    SqliteStore(path, create=True).close()
    damage(path, sql)

    with pytest.raises(ConfigError, match=message):
        SqliteStore(path)


@pytest.mark.parametrize("create", [False, True])
def test_a_database_of_somebody_else_is_refused_and_left_as_it_is(path, create):
    damage(path, "CREATE TABLE books (title)")
    before = path.read_bytes()

    with pytest.raises(ConfigError, match="no ledger"):
        SqliteStore(path, create=create)

    assert path.read_bytes() == before


def test_an_emptied_file_is_refused_not_filled_again(path):
    path.write_bytes(b"")

    with pytest.raises(ConfigError, match="no ledger"):
        SqliteStore(path)


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"not a database" * 100)

    with pytest.raises(ConfigError, match="no SQLite file"):
        SqliteStore(path)


def test_a_full_disk_keeps_nothing_says_so_and_is_well_again_with_space(path):
    store = SqliteStore(path, create=True)
    gateway, device = FakeGateway(store), FakeDevice()
    gateway.fill(20, device)
    store.limit_pages(1)  # SQLite takes what it has already for the least

    with pytest.raises(StoreFullError):
        gateway.commit(*(device.submission(n) for n in range(20, 200)))
    full_size = store.read(lambda reader: reader.last()).index + 1
    store.limit_pages(100_000)
    outcomes = gateway.commit(*(device.submission(n) for n in range(20, 200)))

    assert full_size == 20
    assert [(kept.index, kept.repeat) for kept in outcomes] == [(n, False) for n in range(20, 200)]
    assert fsck.check(store, ORIGIN, gateway.sign()).valid
    store.close()


def test_two_writers_do_not_mix(path, store):
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    store._writer.set_busy_timeout(0)

    with pytest.raises(StoreFailedError, match="Busy"):
        store.transact(lambda tx: tx.put_state("cursor", b"1"))
    other.close()

    assert store.transact(lambda tx: tx.state("cursor")) is None


def test_a_twice_taken_index_is_a_failure_not_an_overwrite(store):
    gateway = FakeGateway(store)
    gateway.fill(1)
    (first,) = store.read(lambda reader: reader.entries(0, 1))

    with pytest.raises(StoreFailedError, match="Constraint"):
        store.transact(lambda tx: tx.append([first]))

    assert fsck.check(store, ORIGIN, gateway.writer.note).valid


def last_page_of_numbers(path) -> int:
    """Where it is in the file; SQLite's file format, 1.6: a right-most pointer is at byte 8."""
    connection = apsw.Connection(str(path))
    found = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'numbers'")
    at = (next(found)[0] - 1) * PAGE_BYTES
    connection.close()
    return (int.from_bytes(path.read_bytes()[at + 8 : at + 12], "big") - 1) * PAGE_BYTES


def spoil(path) -> None:
    data = bytearray(path.read_bytes())
    data[last_page_of_numbers(path)] = 0xFF  # no kind of page
    path.write_bytes(data)


def test_a_page_of_numbers_that_cannot_be_read_stops_only_whose_number_is_there(path):
    store, device = SqliteStore(path, create=True), FakeDevice()
    FakeGateway(store).fill(3000, device)
    store.close()
    spoil(path)
    store = SqliteStore(path)
    gateway = FakeGateway(store)

    report = fsck.check(store, ORIGIN)
    outcomes = gateway.commit(device.submission(2999), device.submission(0, epoch=0))

    assert isinstance(outcomes[0], IntegrityError)
    assert "cannot be looked up" in str(outcomes[0])
    assert (outcomes[1].index, outcomes[1].repeat) == (3000, False)
    assert gateway.writer.failing is None
    assert (report.valid, 0 < report.first_bad < 3000) == (False, True)
    store.close()


def test_a_connection_that_met_damage_still_reads_what_is_right(path):
    store, device = SqliteStore(path, create=True), FakeDevice()
    FakeGateway(store).fill(3000, device)
    store.close()
    spoil(path)
    store = SqliteStore(path)

    for _ in range(9):  # each of its connections, and more
        with pytest.raises(IntegrityError):
            store.read(lambda reader: reader.number(device.kid, 1, 2999))

    assert [store.read(lambda r: r.number(device.kid, 1, 7)) for _ in range(9)] == [7] * 9
    store.close()


def test_a_number_that_leads_to_no_index_is_told(path):
    store = SqliteStore(path, create=True)
    damage(
        path,
        "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'STRICT,', '');",
    )
    damage(path, "INSERT INTO numbers VALUES (x'aa', 1, 2, 'seven')")

    with pytest.raises(IntegrityError, match="leads to 'seven'"):
        store.read(lambda reader: reader.number(b"\xaa", 1, 2))
    store.close()


def test_a_directory_that_goes_away_is_a_failure_of_the_store(tmp_path):
    folder = tmp_path / "garden"
    folder.mkdir()
    store = SqliteStore(folder / "ledger.sqlite", create=True)
    store.sizes()  # its files are open now
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("not a directory any more")

    with pytest.raises(StoreFailedError, match="Not a directory"):
        store.sizes()
    store.close()


def test_limits_that_cannot_be_set_are_a_failure_of_the_store(path):
    store = SqliteStore(path, create=True)
    store.close()

    for limit in (store.limit_pages, store.limit_log):
        with pytest.raises(StoreFailedError, match="Closed"):
            limit(1000)
