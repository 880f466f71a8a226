"""What a ledger file holds and takes after deletions, looked at from outside SQLite."""

import random
import re
from pathlib import Path

import apsw
import pytest

from gateway.errors import StoreFullError
from gateway.store import PAGE_BYTES, Entry, Selection
from gateway.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def store(path):
    store = SqliteStore(path, create=True)
    yield store
    store.close()


def raw(path: Path) -> bytes:
    """Every byte of the ledger's files, in use or not."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(path.name + "*")))


def log_size(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def marked(index: int, size: int) -> bytes:
    """A body that says in every part of it whose it is."""
    return (b"<%08x>" % index * (size // 10 + 1))[:size]


def traces(data: bytes) -> set[int]:
    """The bodies of which any part is in `data`."""
    return {int(found, 16) for found in re.findall(rb"<([0-9a-f]{8})>", data)}


class Churn:
    """Bodies of many sizes put and deleted at random, as SQLite likes it least."""

    def __init__(self, store: SqliteStore, seed: int) -> None:
        self._store = store
        self._dice = random.Random(seed)
        self.size = 0
        self.gone: set[int] = set()

    def put(self) -> None:
        dice, entries = self._dice, []
        for _ in range(dice.randrange(1, 60)):
            body = marked(self.size, dice.choice((30, 140, 140, 900, 9000)))
            source = f"s{dice.randrange(3)}"
            entries.append(Entry(self.size, "pack", source, 1, b"leaf", b"chain", b"salt", body))
            self.size += 1
        self._store.transact(lambda tx: tx.append(entries))

    def delete(self) -> None:
        start = self._dice.randrange(self.size)
        stop = start + self._dice.randrange(1, 40)
        selection = Selection(start, stop, None, self._dice.choice((None, "s0", "s1")))
        self.gone.update(i for i, _ in self._store.read(lambda r: r.bodies(selection, 99)))
        self._store.transact(lambda tx: tx.delete_bodies(selection))

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            self.put()
            if self._dice.random() < 0.6:
                self.delete()
            if self._dice.random() < 0.3:
                self._store.release(self._dice.randrange(1, 9))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_of_a_deleted_body_is_left_in_the_files(path, store, seed):
    churn = Churn(store, seed)
    churn.run(25)

    assert store.empty_log()

    assert len(churn.gone) > 50
    assert traces(raw(path)) == set(range(churn.size)) - churn.gone


def test_the_search_for_traces_finds_them_where_deletion_is_not_secure(path, store):
    churn = Churn(store, 0)
    store._writer.pragma("secure_delete", 0)
    churn.run(25)

    assert store.empty_log()

    assert traces(raw(path)) & churn.gone != set()


def test_until_the_log_is_emptied_it_still_has_them(path, store):
    churn = Churn(store, 0)
    churn.put()
    store.transact(lambda tx: tx.delete_bodies(Selection(0, churn.size)))

    before = traces(raw(path))
    store.empty_log()

    assert before == set(range(churn.size))
    assert traces(raw(path)) == set()


def test_a_log_that_somebody_reads_is_not_emptied_and_later_it_is(path, store):
    Churn(store, 0).run(3)

    held = store.read(lambda r: (r.last(), store.empty_log())[1])
    freed = store.empty_log()

    assert (held, freed) == (False, True)
    assert log_size(path) == 0


def test_the_log_stays_within_its_limit_and_one_transaction(path, store):
    store.limit_log(40 * PAGE_BYTES)
    sizes = []

    for n in range(120):
        body = bytes(6 * PAGE_BYTES)
        store.transact(
            lambda tx, n=n, b=body: tx.append([Entry(n, "pack", "s", 1, b"l", b"c", b"s", b)])
        )
        sizes.append(log_size(path))

    assert max(sizes) <= (40 + 12) * (PAGE_BYTES + 24) + 32


def test_a_log_that_cannot_be_emptied_is_refused_at_its_limit_not_grown(path, store):
    store.limit_log(20 * PAGE_BYTES)
    other = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    store.transact(lambda tx: tx.put_state("seen", b"1"))
    other.execute("BEGIN")
    other.execute("SELECT * FROM state").fetchall()

    def grow():
        for n in range(200):
            store.transact(lambda tx, n=n: tx.put_state(f"key {n}", bytes(PAGE_BYTES)))

    with pytest.raises(StoreFullError, match="somebody reads"):
        grow()
    refused_at = log_size(path)
    other.close()
    store.transact(lambda tx: tx.put_state("key", b"1"))

    assert refused_at < 30 * PAGE_BYTES
    assert store.read(lambda r: r.state("key")) == b"1"


def test_giving_space_back_takes_no_log_past_its_limit(path, store):
    churn = Churn(store, 0)
    for _ in range(40):
        churn.put()
    store.transact(lambda tx: tx.delete_bodies(Selection(0, churn.size)))
    store.empty_log()
    store.limit_log(20 * PAGE_BYTES)
    other = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    other.execute("BEGIN; SELECT * FROM state").fetchall()

    while store.release(8):
        pass
    refused_at = log_size(path)
    other.close()

    assert refused_at < 40 * PAGE_BYTES
    assert store.release(8) == 8
