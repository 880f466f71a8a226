"""fsck on ledgers whose keys were rotated and whose bodies were deleted, and on their states."""

import pytest

from gateway.ledger import fsck, pruning
from gateway.ledger.fsck import Options
from gateway.ledger.rotation import KEYS
from gateway.ledger.start import COLLECTOR, ROLE
from gateway.store import Selection
from protocol import checkpoint as notes
from protocol.note import parse_key
from protocol.prune import RETENTION
from tests.fakes import ORIGIN, FakeGateway
from tests.gateway import ruled_files
from tests.gateway.ledger_files import writer_on
from tests.gateway.ruled_files import FIRST_TURN, LAST, OLD_PRUNE, REDACTED, SECOND_TURN, SHED_PRUNE

SIZE = LAST + 1


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return ruled_files.make(tmp_path_factory.mktemp("sound") / "garden")


@pytest.fixture
def ruled(sound, tmp_path):
    return sound.copy(tmp_path)


def checked(ruled, note=None, **options):
    store = ruled.made.open()
    note = ruled.made.note if note is None else note
    report = fsck.check(store, ORIGIN, note, Options(**options))
    store.close()
    return report


def wrong(ruled, note=None, **options):
    report = checked(ruled, note, **options)
    assert not report.valid
    return report.first_bad, report.reason


def keys_of(ruled):
    return [parse_key(vkey) for vkey in ruled.vkeys]


def put_state(ruled, key, value):
    ruled.made.execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", key, value)


# --- as it should be ------------------------------------------------------------------------


def test_a_ledger_with_rotations_and_prunes_is_sound(ruled):
    report = checked(ruled)

    assert (report.valid, report.entries, report.missing_bodies) == (True, SIZE, 151)
    assert report.root == notes.unverified(ruled.notes[SIZE]).root.hex()


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_with_any_of_its_keys_its_notes_are_held_to_their_signatures(ruled, epoch):
    assert checked(ruled, key=keys_of(ruled)[epoch]).valid


# --- rotations ------------------------------------------------------------------------------


def test_a_checkpoint_past_a_rotation_by_the_old_key_is_wrong(ruled):
    note = ruled.signers[0].sign(SIZE, notes.unverified(ruled.notes[SIZE]).root)

    _, reason = wrong(ruled, note, key=keys_of(ruled)[0])

    assert f"whose time ended with entry {FIRST_TURN}, a rotation" in reason


@pytest.mark.parametrize("index", [FIRST_TURN, SECOND_TURN])
def test_a_rotation_that_was_changed_is_named(ruled, index):
    ruled.made.execute("UPDATE bodies SET body = CAST(body || x'00' AS BLOB) WHERE idx = ?", index)

    assert wrong(ruled) == (index, "the body is not the one in the leaf")


LOST = f"the last checkpoint before the rotation in entry {SECOND_TURN} is lost"
STATES = {
    "no list of keys": ("DELETE FROM state WHERE key = 'keys'", "list of its keys"),
    "another list of keys": (
        "UPDATE state SET value = CAST(value || 'x' AS BLOB) WHERE key = 'keys'",
        "list of its keys",
    ),
    "no last word": (f"DELETE FROM state WHERE key = 'terminal/{SECOND_TURN}'", LOST),  # noqa: S608  # our own names
    "another's last word": (
        f"UPDATE state SET value = (SELECT value FROM state WHERE key = 'terminal/{FIRST_TURN}')"  # noqa: S608  # our own names
        f" WHERE key = 'terminal/{SECOND_TURN}'",
        LOST,
    ),
    "another origin": (
        "UPDATE state SET value = CAST('elsewhere' AS BLOB) WHERE key = 'origin'",
        f"the ledger is of 'elsewhere', not of '{ORIGIN}'",
    ),
    "no origin": ("DELETE FROM state WHERE key = 'origin'", f"of '', not of '{ORIGIN}'"),
}


@pytest.mark.parametrize(("statement", "words"), STATES.values(), ids=STATES)
def test_a_state_that_is_not_what_the_entries_say_is_wrong_in_no_entry(ruled, statement, words):
    ruled.made.execute(statement)

    first_bad, reason = wrong(ruled)

    assert first_bad is None
    assert words in reason


def test_a_list_of_keys_where_nothing_was_rotated_is_wrong():
    gateway = FakeGateway()
    gateway.store.transact(lambda t: t.put_state("keys", b"0 any"))

    report = fsck.check(gateway.store, ORIGIN, gateway.sign())

    assert (report.valid, report.first_bad) == (False, None)


@pytest.mark.parametrize("place", ["beside", "inside"])
def test_a_checkpoint_of_another_origin_is_wrong(ruled, place):
    signed = notes.unverified(ruled.notes[100])
    other = ruled.notes[100].replace(f"{ORIGIN}\n", "elsewhere\n", 1)
    if place == "inside":
        put_state(ruled, "checkpoint", other.encode())

    first_bad, reason = wrong(ruled, other if place == "beside" else None)

    assert (first_bad, signed.size) == (None, 100)
    assert reason == f"a checkpoint of 'elsewhere', not of '{ORIGIN}'"


@pytest.mark.parametrize("key", ["checkpoint", "anchored"])
def test_the_checkpoints_inside_the_ledger_are_held_to_it(ruled, key):
    put_state(ruled, key, ruled.signers[2].sign(SIZE + 5, bytes(32)).encode())

    assert wrong(ruled) == (SIZE, f"missing: a checkpoint of {SIZE + 5} is signed")


# --- deleted bodies -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "said_by"), [(0, OLD_PRUNE), (99, OLD_PRUNE), (300, REDACTED), (102, SHED_PRUNE)]
)
def test_a_body_that_came_back_is_named_with_the_entry_that_deleted_it(ruled, index, said_by):
    ruled.put_back(index)

    assert wrong(ruled) == (
        index,
        f"the body is there, although entry {said_by} says that it was deleted",
    )


@pytest.mark.parametrize("index", [100, 251, 299, 301, 599, FIRST_TURN, LAST])
def test_a_body_that_nobody_deleted_is_named(ruled, index):
    ruled.made.execute("DELETE FROM bodies WHERE idx = ?", index)

    assert wrong(ruled) == (index, "the body is missing, and no entry says who deleted it")


STRAYS = {
    "a body": ("INSERT INTO bodies VALUES (9999, x'00', x'00')", 9999, "a body"),
    "a body before the first": ("INSERT INTO bodies VALUES (-1, x'00', x'00')", -1, "a body"),
    "an entry before the first": (
        "INSERT INTO entries VALUES (-7, '', '', 0, x'', x'')",
        -7,
        "an entry",
    ),
    "a tail": ("INSERT INTO tails VALUES (9999, x'00')", 9999, "a tail"),
    "a subtree": ("INSERT INTO nodes VALUES (8, 2, x'00')", 512, "a subtree"),
    "a subtree of another level": ("INSERT INTO nodes VALUES (7, 0, x'00')", 0, "a subtree"),
}


@pytest.mark.parametrize(("statement", "named", "words"), STRAYS.values(), ids=STRAYS)
def test_what_belongs_to_no_entry_is_named(ruled, statement, named, words):
    ruled.made.execute(statement)

    first_bad, reason = wrong(ruled)

    assert (first_bad, reason) == (named, f"{words} that belongs to no entry")


# --- a collector's copy ---------------------------------------------------------------------


@pytest.fixture
def copied(ruled):
    """Without what a collector does not keep: numbers, and last words."""
    for statement in ("DELETE FROM numbers", "DELETE FROM state WHERE key LIKE 'terminal/%'"):
        ruled.made.execute(statement)
    put_state(ruled, ROLE, COLLECTOR)
    return ruled


def test_a_copy_needs_no_numbers_and_may_keep_what_retention_deleted(copied):
    copied.put_back(0)

    assert checked(copied, is_copy=True).valid


def test_a_copy_must_lack_what_was_redacted(copied):
    copied.put_back(300)

    assert wrong(copied, is_copy=True)[0] == 300


def test_a_copy_may_hold_a_checkpoint_over_entries_that_are_to_come(copied):
    put_state(copied, "checkpoint", copied.signers[2].sign(SIZE + 5, bytes(32)).encode())

    assert checked(copied, is_copy=True).valid
    assert wrong(copied, copied.signers[2].sign(SIZE + 5, bytes(32)), is_copy=True)[0] == SIZE


def test_a_gateways_ledger_that_says_it_is_a_copy_is_wrong(ruled):
    ruled.made.execute("DELETE FROM bodies WHERE idx = 450")
    put_state(ruled, ROLE, COLLECTOR)

    said = wrong(ruled)

    assert said == (None, "it says that it is a collector's copy, and it is a gateway's ledger")


# --- while it is written to -----------------------------------------------------------------


def test_bodies_that_are_deleted_while_one_looks_are_explained_by_what_came(ruled):
    store = ruled.made.open()
    writer = writer_on(store, ruled.made.directory, ruled.signers[2])

    def meanwhile(done, total):
        if done == 256:
            pruning.commit(writer, Selection(301, 400), RETENTION)

    report = fsck.check(store, ORIGIN, ruled.made.note, Options(progress=meanwhile))
    store.close()

    assert (report.valid, report.entries, report.missing_bodies) == (True, SIZE + 1, 151 + 99)


def test_a_list_of_keys_that_is_wrong_is_noticed_though_bodies_were_deleted_meanwhile(ruled):
    store = ruled.made.open()
    writer = writer_on(store, ruled.made.directory, ruled.signers[2])

    def meanwhile(done, total):
        if done == 256:
            pruning.commit(writer, Selection(301, 400), RETENTION)
            store.transact(lambda t: t.put_state(KEYS, b"none"))

    report = fsck.check(store, ORIGIN, ruled.made.note, Options(progress=meanwhile))
    store.close()

    what = "the ledger's list of its keys is not what its rotations say"
    assert (report.valid, report.first_bad, report.reason) == (False, None, what)


def test_a_body_that_goes_missing_while_others_are_deleted_is_named(ruled):
    store = ruled.made.open()
    writer = writer_on(store, ruled.made.directory, ruled.signers[2])

    def meanwhile(done, total):
        if done == 256:
            store.transact(lambda t: t.delete_bodies(Selection(450, 451)))
            pruning.commit(writer, Selection(301, 400), RETENTION)

    report = fsck.check(store, ORIGIN, ruled.made.note, Options(progress=meanwhile))
    store.close()

    assert (report.valid, report.first_bad) == (False, 450)
