"""fsck on ledger files that somebody has changed behind our back."""

import pytest

from gateway.ledger import fsck
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.store.memory import MemoryStore
from protocol.checkpoint import unverified
from tests.fakes import ORIGIN, FakeGateway
from tests.gateway.ledger_files import SIZE, make
from tests.gateway.tampering import FLIPS, STRUCTURAL, flip


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden")


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def checked(made, note=None):
    store = made.open()
    report = fsck.check(store, ORIGIN, made.note if note is None else note)
    store.close()
    return report


def test_a_sound_ledger_is_valid_and_its_root_is_the_signed_one(made):
    report = checked(made)

    assert (report.valid, report.entries, report.first_bad) == (True, SIZE, None)
    assert report.root == unverified(made.note).root.hex()
    assert report.as_json()["reason"] is None


@pytest.mark.parametrize(("column", "index", "position", "named"), FLIPS)
def test_one_flipped_byte_is_named_by_its_entry(made, column, index, position, named):
    flip(made, column, index, position)

    report = checked(made)

    assert (report.valid, report.first_bad) == (False, named), report.reason


def test_the_first_of_many_that_are_missing_is_named(made):
    made.execute("DELETE FROM entries WHERE idx >= 100 AND idx < 599")

    report = checked(made)

    assert (report.valid, report.first_bad) == (False, 100)
    assert report.reason == "the entry is missing"


@pytest.mark.parametrize(("statements", "named", "reason"), STRUCTURAL.values(), ids=STRUCTURAL)
def test_entries_moved_or_removed_are_named(made, statements, named, reason):
    for statement in statements:
        made.execute(statement)

    report = checked(made)

    assert (report.valid, report.first_bad) == (False, named)
    assert reason in report.reason


def test_a_tail_cut_off_everywhere_is_only_seen_against_a_checkpoint(made):
    for table in ("entries", "bodies", "numbers"):
        made.execute(f"DELETE FROM {table} WHERE idx >= 590")  # noqa: S608  # our own names

    assert checked(made, note="").valid
    assert checked(made).first_bad == 590


def test_an_entry_missing_at_the_end_of_a_page_is_named(made):
    made.execute("DELETE FROM entries WHERE idx = 511")

    assert checked(made).first_bad == 511


def test_more_kinds_and_sources_than_it_remembers_are_checked():
    gateway = FakeGateway(MemoryStore())
    gateway.commit(*(Submission(Draft("fault", str(n), b"")) for n in range(5000)))

    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid


def test_a_missing_subtree_hash_is_named(made):
    made.execute("DELETE FROM nodes WHERE level = 8 AND n = 1")

    assert checked(made).first_bad == 256


def test_a_ledger_written_anew_contradicts_an_older_checkpoint(sound, tmp_path):
    anew = make(tmp_path / "anew", temperature=22)

    assert checked(anew).valid
    report = checked(anew, note=sound.older)
    assert (report.valid, report.first_bad) == (False, 99)
    assert "differ from the checkpoint signed" in report.reason


def test_a_checkpoint_that_cannot_be_read_is_a_finding(made):
    report = checked(made, note="garbage")

    assert (report.valid, report.first_bad) == (False, 0)


def test_an_empty_ledger_is_sound():
    gateway = FakeGateway(MemoryStore())

    report = fsck.check(gateway.store, ORIGIN, gateway.signer.sign(0, gateway_root(gateway)))

    assert (report.valid, report.entries) == (True, 0)


def gateway_root(gateway):
    return bytes.fromhex(fsck.check(gateway.store, ORIGIN).root)
