"""What else may be in a ledger file, or happen to it while it is verified."""

import sqlite3
from contextlib import closing

import pytest

from gateway.ledger import pruning
from gateway.ledger.start import COLLECTOR, ROLE
from gateway.store import Selection
from protocol.prune import REDACTION, RETENTION
from tests.fakes import FakeDevice
from tests.gateway.ledger_files import SIZE, make, writer_on
from tools.ledger_file import LedgerFile
from tools.verify import check, verdicts_of


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden")


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def verdict_of(made):
    (verdict,) = verdicts_of(str(made.directory.path))
    return verdict


STRAYS = {
    "a body before the first": ("INSERT INTO bodies VALUES (-1, x'00', x'00')", -1, "a body"),
    "a body behind the last": ("INSERT INTO bodies VALUES (9999, x'00', x'00')", 9999, "a body"),
    "an entry before the first": (
        "INSERT INTO entries VALUES (-7, '', '', 0, x'', x'')",
        -7,
        "an entry before the first one",
    ),
    "a subtree that is not full": ("INSERT INTO nodes VALUES (8, 2, x'00')", 512, "(8, 2)"),
    "a subtree far away": ("INSERT INTO nodes VALUES (8, 1 << 50, x'00')", 1 << 58, "(8, "),
    "a subtree of a level that is not stored": (
        "INSERT INTO nodes VALUES (7, 0, x'00')",
        0,
        "(7, 0)",
    ),
    "a subtree of no level": ("INSERT INTO nodes VALUES (64, 0, x'00')", 0, "(64, 0)"),
}


@pytest.mark.parametrize(("statement", "named", "words"), STRAYS.values(), ids=STRAYS)
def test_what_belongs_to_no_entry_is_wrong(made, statement, named, words):
    made.execute(statement)

    verdict = verdict_of(made)

    assert (verdict.valid, verdict.first_bad) == (False, named)
    assert words in verdict.reason


def test_a_file_whose_columns_have_other_types_is_verified_all_the_same(made):
    """Whoever made it chose its schema, too: NULLs and text where bytes should be."""
    with closing(sqlite3.connect(made.directory.ledger)) as database:
        database.executescript(
            "CREATE TABLE loose AS SELECT * FROM entries; DROP TABLE entries;"
            "ALTER TABLE loose RENAME TO entries; CREATE UNIQUE INDEX i ON entries (idx);"
        )
    assert verdict_of(made).valid

    made.execute("UPDATE entries SET leaf = NULL, received_ms = 'now', kind = 5 WHERE idx = 3")

    assert (verdict_of(made).valid, verdict_of(made).first_bad) == (False, 3)


def test_a_note_of_another_origin_is_wrong(made):
    made.execute("UPDATE state SET value = CAST('elsewhere' AS BLOB) WHERE key = 'origin'")

    verdict = verdict_of(made)

    assert not verdict.valid
    assert "for a ledger of 'elsewhere'" in verdict.reason


class Meanwhile(LedgerFile):
    """Something happens before the second page is read."""

    def then(self, event):
        self._event = event
        return self

    def rows(self, start, stop):
        if start >= 256 and self._event:
            event, self._event = self._event, None
            event()
        return super().rows(start, stop)


@pytest.fixture
def store(made):
    """Open for the whole test: closing it would take the locks of the other SQLite here."""
    store = made.open()
    yield store
    store.close()


def prune(made, store, selection, why=RETENTION):
    pruning.commit(writer_on(store, made.directory, made.signer), selection, why)


def test_bodies_that_are_deleted_while_one_looks_are_explained_by_what_came(made, store):
    ledger = Meanwhile(made.directory.ledger, made.vkey)

    verdict = check(ledger.then(lambda: prune(made, store, Selection(100, 400))))
    ledger.close()

    assert (verdict.valid, verdict.entries, verdict.missing_bodies) == (True, SIZE + 1, 144)


def test_a_body_that_goes_missing_while_others_are_deleted_is_named(made, store):
    def event():
        prune(made, store, Selection(100, 400))
        store.transact(lambda transaction: transaction.delete_bodies(Selection(450, 451)))

    ledger = Meanwhile(made.directory.ledger, made.vkey)

    verdict = check(ledger.then(event))
    ledger.close()

    assert (verdict.valid, verdict.first_bad) == (False, 450)


def test_entries_that_come_while_one_looks_are_not_waited_for(made, store):
    writer = writer_on(store, made.directory, made.signer)
    late = FakeDevice("late").submission(0)
    ledger = Meanwhile(made.directory.ledger, made.vkey)

    verdict = check(ledger.then(lambda: writer.commit([late], {})))
    ledger.close()

    assert (verdict.valid, verdict.entries) == (True, SIZE)


@pytest.fixture
def copied(made):
    """As a collector keeps it, and the body of entry 5 for whoever puts it back."""
    made.execute("INSERT INTO state VALUES (?, ?)", ROLE, COLLECTOR)
    salt = made.value("SELECT salt FROM bodies WHERE idx = 5")
    return made, (salt, made.value("SELECT body FROM bodies WHERE idx = 5"))


def deleted_but_for_entry_5(made, kept, why):
    with closing(made.open()) as store:
        prune(made, store, Selection(0, 10), why)
    made.execute("INSERT INTO bodies VALUES (5, ?, ?)", *kept)


def verdict_of_the_file(made):
    """Alone, wherever it is from."""
    (verdict,) = verdicts_of(str(made.directory.ledger))
    return verdict


def test_a_collectors_copy_may_keep_what_retention_deleted(copied):
    deleted_but_for_entry_5(*copied, RETENTION)

    assert verdict_of_the_file(copied[0]).valid


def test_a_collectors_copy_must_follow_a_redaction(copied):
    deleted_but_for_entry_5(*copied, REDACTION)

    verdict = verdict_of_the_file(copied[0])

    assert (verdict.valid, verdict.first_bad) == (False, 5)


def test_a_collectors_copy_says_which_bodies_it_lacks_without_knowing_why(copied):
    made, _ = copied
    made.execute("DELETE FROM bodies WHERE idx IN (5, 6)")
    told = []

    ledger = LedgerFile(made.directory.ledger, made.vkey, is_copy=True)
    verdict = check(ledger, say=told.append)
    ledger.close()

    said = "2 bodies: they are missing, and no entry of this copy says why yet"
    assert (verdict.valid, verdict.missing_bodies, verdict.untold_bodies) == (True, 2, 2)
    assert said in verdict.unchecked
    assert told[-2:] == [f"  not      {said}", f"  verdict  ok: {SIZE} entries"]


def test_a_gateways_ledger_is_no_copy_because_it_says_so(copied):
    """Who can delete a body can write that line, too."""
    made, _ = copied
    made.execute("DELETE FROM bodies WHERE idx = 5")

    verdict = verdict_of(made)

    assert (verdict.valid, verdict.first_bad) == (False, 5)
    assert verdict.reason == "the body is missing, and no entry says who deleted it"


def test_a_file_alone_that_calls_itself_a_copy_is_judged_as_one_and_that_is_told(copied):
    made, _ = copied

    alone = verdict_of_the_file(made)

    assert any("the file calls itself a collector's copy" in what for what in alone.unchecked)
    assert not any("calls itself" in what for what in verdict_of(made).unchecked)
