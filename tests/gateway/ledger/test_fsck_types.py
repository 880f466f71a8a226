"""fsck on rows of `numbers` that damage has given another type: nobody who looks finds them."""

import sqlite3

import pytest

from gateway.ledger import fsck, pruning
from gateway.store import Selection
from gateway.store.sqlite import SqliteStore
from protocol.prune import RETENTION
from tests.fakes import ORIGIN, FakeDevice, FakeGateway

STRICT = ") STRICT, WITHOUT ROWID"
LOOSE = ") WITHOUT ROWID"
SCHEMA = "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'numbers'"


def retype(path, column, kind):
    """As a flipped bit in a row's header does it, which no STRICT table would."""
    for sql, values in (
        (
            SCHEMA,
            [STRICT, LOOSE],
        ),
        (f"UPDATE numbers SET {column} = CAST({column} AS {kind}) WHERE sequence = 3", []),  # noqa: S608  # our own names
        (
            SCHEMA,
            [LOOSE, STRICT],
        ),
    ):
        database = sqlite3.connect(path)
        database.execute("PRAGMA writable_schema = ON")
        with database:
            assert database.execute(sql, values).rowcount == 1
        database.close()


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("row", [("kid", "TEXT"), ("epoch", "BLOB"), ("sequence", "BLOB")])
def test_a_number_that_has_lost_its_type_is_noticed(tmp_path, row, pruned):
    path = tmp_path / "ledger.sqlite"
    store = SqliteStore(path, create=True)
    gateway = FakeGateway(store)
    gateway.fill(600, FakeDevice("shed"))
    if pruned:
        pruning.commit(gateway.writer, Selection(0, 600), RETENTION)
    note = gateway.sign()
    store.close()

    retype(path, *row)

    store = SqliteStore(path)
    report = fsck.check(store, ORIGIN, note)
    store.close()
    assert not report.valid
    assert report.first_bad == 3
    assert pruned == ("is nobody's" in report.reason)
