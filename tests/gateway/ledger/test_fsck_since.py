"""fsck from a checkpoint on: what came before is taken on trust, once the stored hashes fit it."""

import pytest

from gateway.ledger import fsck
from gateway.ledger.fsck import Options
from protocol import checkpoint as notes
from protocol.merkle import EMPTY_ROOT
from protocol.note import parse_key
from tests.fakes import ORIGIN, FakeGateway
from tests.gateway import ruled_files
from tests.gateway.ruled_files import FIRST_TURN, LAST, OLD_PRUNE, SECOND_TURN

SIZE = LAST + 1


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return ruled_files.make(tmp_path_factory.mktemp("sound") / "garden")


@pytest.fixture
def ruled(sound, tmp_path):
    return sound.copy(tmp_path)


def checked(ruled, since, **options):
    store = ruled.made.open()
    report = fsck.check(store, ORIGIN, ruled.made.note, Options(since=since, **options))
    store.close()
    return report


@pytest.mark.parametrize("size", [100, FIRST_TURN, SECOND_TURN, SIZE])
@pytest.mark.parametrize("epoch", [None, 0, 2])
def test_only_what_came_after_is_looked_at(ruled, size, epoch):
    key = None if epoch is None else parse_key(ruled.vkeys[epoch])
    steps = []

    report = checked(ruled, ruled.notes[size], key=key, progress=lambda *step: steps.append(step))

    assert (report.valid, report.reason) == (True, None)
    assert (report.checked_from, report.entries) == (size, SIZE)
    assert report.root == notes.unverified(ruled.notes[SIZE]).root.hex()
    assert [total for _, total in steps] == [SIZE] * len(steps)


def test_what_came_before_is_taken_on_trust(ruled):
    ruled.made.execute("UPDATE bodies SET body = x'00' WHERE idx = 290")

    assert checked(ruled, ruled.notes[FIRST_TURN]).valid
    assert checked(ruled, ruled.notes[100]).first_bad == 290


def test_a_leaf_among_the_last_256_before_it_is_part_of_the_comparison(ruled):
    ruled.made.execute("UPDATE entries SET leaf = x'00' WHERE idx = 600")

    report = checked(ruled, ruled.notes[FIRST_TURN])

    assert (report.valid, report.first_bad) == (False, FIRST_TURN - 1)
    assert report.reason == f"the first {FIRST_TURN} entries are not those that were signed"


def test_what_came_after_is_held_to_everything(ruled):
    ruled.made.execute("UPDATE bodies SET body = x'00' WHERE idx = ?", FIRST_TURN + 3)

    assert checked(ruled, ruled.notes[FIRST_TURN]).first_bad == FIRST_TURN + 3


def test_prunes_that_came_after_rule_what_came_after(ruled):
    ruled.put_back(102)

    assert checked(ruled, ruled.notes[100]).reason == (
        f"the body is there, although entry {OLD_PRUNE + 2} says that it was deleted"
    )


def test_a_stored_hash_that_is_missing_is_named(ruled):
    ruled.made.execute("DELETE FROM nodes WHERE n = 1")

    report = checked(ruled, ruled.notes[FIRST_TURN])

    assert (report.valid, report.first_bad) == (False, 0)
    assert "a hash under subtree (9, 0) is missing" in report.reason


def test_a_checkpoint_past_the_end_is_wrong(ruled):
    report = checked(ruled, ruled.signers[2].sign(SIZE + 1, bytes(32)))

    assert (report.valid, report.first_bad) == (False, SIZE)


def test_a_checkpoint_of_another_origin_is_wrong(ruled):
    other = ruled.notes[100].replace(f"{ORIGIN}\n", "elsewhere\n", 1)

    assert "a checkpoint of 'elsewhere'" in checked(ruled, other).reason


def test_a_checkpoint_that_the_key_of_its_time_has_not_signed_is_wrong(ruled):
    root = notes.unverified(ruled.notes[SIZE]).root
    report = checked(ruled, ruled.signers[0].sign(SIZE, root), key=parse_key(ruled.vkeys[0]))

    assert not report.valid
    assert "whose time ended" in report.reason


def test_a_list_of_keys_that_the_entries_do_not_tell_of_is_wrong(ruled):
    ruled.made.execute("UPDATE state SET value = x'00' WHERE key = 'keys'")

    report = checked(ruled, ruled.notes[FIRST_TURN])

    assert not report.valid
    assert "keys" in report.reason


def test_an_empty_checkpoint_is_the_start():
    gateway = FakeGateway()
    empty = gateway.signer.sign(0, EMPTY_ROOT)
    gateway.fill(3)

    report = fsck.check(gateway.store, ORIGIN, gateway.sign(), Options(since=empty))

    assert (report.valid, report.checked_from, report.entries) == (True, 0, 3)


def test_between_two_views_it_pauses(ruled):
    pauses = []

    checked(ruled, "", pause=lambda: pauses.append(1))

    assert len(pauses) > SIZE // 256 + 1
