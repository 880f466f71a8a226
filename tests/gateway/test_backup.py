"""A copy of one moment: checked, whole or not there, and made beside whoever writes."""

import sqlite3

import pytest

from gateway import backup as backups
from gateway import quarantine, rotate
from gateway.backup import Saved
from gateway.directory import Directory
from gateway.errors import ConfigError, DamagedError, RolledBackError
from gateway.ledger import fsck
from gateway.ledger.signer import Signer, format_signer_key
from gateway.store.control import ControlStore
from gateway.store.copying import copy
from gateway.store.keys import KeyStore
from protocol.checkpoint import unverified
from tests.fakes import ORIGIN, SEED, FakeDevice
from tests.gateway.ledger_files import CONFIG, Made, make, writer_on

SIZE = 600
FILES = {
    *("ledger.sqlite", "keys.sqlite", "checkpoint"),
    *("tallystick.toml", "verifier.key", "tokens.json"),
}
LATE = FakeDevice("late")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("sound") / "garden", size=SIZE)
    made.directory.tokens.write_text("[]")
    return made


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "saved"


def quiet(what, done, total):
    pass


def saved(made: Made, target, *, progress=quiet, with_key=False) -> Saved:
    return backups.backup(made.directory, target, progress, with_key=with_key)


def refused(made: Made, target, error, **options):
    """The refusal; nothing has the name of a backup."""
    with pytest.raises(error) as refusal:
        saved(made, target, **options)
    assert not target.exists()
    return refusal.value


def check_opens(path) -> int:
    store, note, _ = Directory(path).open_unsigned(ORIGIN)
    report = fsck.check(store, ORIGIN, note)
    store.close()
    assert report.valid
    return report.entries


def test_a_copy_holds_what_the_directory_does_but_for_its_key(made, target):
    done = saved(made, target)

    assert {path.name for path in target.iterdir()} == FILES
    assert done[:4] == (str(target), ORIGIN, SIZE, SIZE)
    assert check_opens(target) == SIZE
    assert (target / "tallystick.toml").read_text() == CONFIG
    assert (target / "verifier.key").read_text() == f"{made.vkey}\n"
    assert (target / "checkpoint").read_text() == made.note
    private = ("keys.sqlite", "tokens.json", "")
    assert [(target / name).stat().st_mode & 0o077 for name in private] == [0, 0, 0]


def test_the_key_comes_with_it_only_when_asked(made, target, tmp_path):
    with_key = tmp_path / "with-key"

    saved(made, target)
    saved(made, with_key, with_key=True)

    assert made.signer.seed not in b"".join(path.read_bytes() for path in target.iterdir())
    assert Directory(with_key).load_signer(ORIGIN).seed == made.signer.seed
    assert (with_key / "signer.key").stat().st_mode & 0o077 == 0


def test_entries_that_come_meanwhile_do_not_begin_it_anew_and_are_not_in_it(made, target):
    """One read transaction, so a writer's commits between the steps change nothing."""
    store, steps = made.open(), []
    writer = writer_on(store, made.directory, made.signer)

    def commit_between(what, done, total):
        if what == "copying":
            steps.append(done)
            writer.commit([LATE.submission(len(steps))], {})
            writer.sign_if_due(0, force=True)

    done = saved(made, target, progress=commit_between)
    store.close()

    assert steps == sorted(set(steps))
    assert (done.entries, check_opens(target)) == (SIZE, SIZE)
    assert unverified(made.note).size == SIZE + len(steps)
    assert unverified((target / "checkpoint").read_text()).size == SIZE


def test_a_large_ledger_is_copied_in_steps_and_once(tmp_path, target):
    source = tmp_path / "large.sqlite"
    database = sqlite3.connect(source)
    database.execute("PRAGMA journal_mode = wal")
    database.execute("CREATE TABLE t (b BLOB)")
    with database:
        database.executemany("INSERT INTO t VALUES (?)", [(bytes(4000),)] * 5000)
    steps = []

    def insert(done, total):
        steps.append((done, total))
        with database:
            database.execute("INSERT INTO t VALUES (x'00')")

    copy(source, target, insert)
    database.close()

    found = sqlite3.connect(target)
    assert found.execute("SELECT count(*) FROM t").fetchall() == [(5000,)]
    found.close()
    assert len(steps) > 4
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert steps[-1][0] == steps[-1][1]


def test_enrolments_after_the_copy_of_the_ledger_are_in_the_copy_of_the_keys(made, target):
    def enrol(what, done, total):
        if what == "copying" and done == total:
            keys = KeyStore(made.directory.keys)
            keys.add("new", LATE.secret)
            keys.close()

    saved(made, target, progress=enrol)

    keys = KeyStore(Directory(target).keys)
    assert [change.name for change in keys.changes(0)] == ["new"]
    keys.close()


def test_a_checkpoint_that_is_just_being_written_is_passed_over_for_the_one_inside(made, target):
    store = made.open()
    writer = writer_on(store, made.directory, made.signer)
    writer.resume(SIZE, made.note)
    writer.commit([LATE.submission(0)], {})
    store.close()
    made.directory.checkpoint.write_text(made.note[:-9])

    assert saved(made, target).signed == SIZE


def test_a_rotated_ledger_is_copied_with_the_key_that_counts(made, target):
    rotate.rotate(made.directory, ORIGIN)
    new = made.directory.load_signer(ORIGIN)
    made.directory.verifier.write_text(f"{made.vkey}\n")  # as it is in the middle of a rotation

    done = saved(made, target, with_key=True)

    assert (done.entries, done.signed) == (SIZE + 1, SIZE + 1)
    assert (target / "verifier.key").read_text() == f"{new.verifier_text}\n"


def test_a_key_that_is_not_the_ledgers_is_not_copied(made, target):
    made.directory.signer.write_text(format_signer_key(ORIGIN, SEED))

    assert "is not the key of this ledger" in str(refused(made, target, ConfigError, with_key=True))


def test_a_gateway_that_never_made_a_token_is_copied_without(made, target):
    made.directory.tokens.unlink()

    saved(made, target)

    assert {path.name for path in target.iterdir()} == FILES - {"tokens.json"}


REFUSED = {
    "behind": (
        lambda m: m.execute("DELETE FROM entries WHERE idx >= 500"),
        RolledBackError,
        "500 entries, but its checkpoint of 600",
    ),
    "a body changed": (
        lambda m: m.execute("UPDATE bodies SET body = x'00' WHERE idx = 7"),
        DamagedError,
        "entry 7: the body is not the one in the leaf",
    ),
    "no checkpoint": (lambda m: m.directory.checkpoint.unlink(), ConfigError, "No such file"),
    "a checkpoint of nobody": (
        lambda m: (
            m.execute("DELETE FROM state WHERE key = 'checkpoint'"),
            m.directory.checkpoint.write_text(Signer(ORIGIN, SEED).sign(0, bytes(32))),
        ),
        ConfigError,
        "holds no note of this ledger",
    ),
    "in quarantine": (
        lambda m: quarantine.keep(
            m.directory.quarantine,
            RolledBackError("seen elsewhere", "fix", m.signer.sign(999, bytes(32))),
        ),
        RolledBackError,
        "seen elsewhere",
    ),
}


@pytest.mark.parametrize(("damage", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_sound_is_not_called_a_backup(made, target, damage, error, message):
    damage(made)

    assert message in str(refused(made, target, error))


def test_what_is_there_already_is_left_alone(made, target):
    target.mkdir()
    (target / "mine").write_text("mine")

    with pytest.raises(ConfigError, match="is there already"):
        saved(made, target)

    assert (target / "mine").read_text() == "mine"


def test_what_an_earlier_try_left_is_replaced_and_nothing_else(made, target):
    part = target.with_name("saved.part")
    part.mkdir()
    (part / "ledger.sqlite").write_text("half")
    saved(made, target)

    again = target.with_name("again")
    other = again.with_name("again.part")
    other.mkdir()
    (other / "mine").write_text("mine")
    assert "is in the way, with mine" in str(refused(made, again, ConfigError))
    assert (other / "mine").read_text() == "mine"
    assert not part.exists()


def test_it_stops_before_the_gateway_would_have_to(made, target):
    """The gateway's log may not grow over its share, and cannot be emptied while we read."""
    made.directory.config.write_text(f"{CONFIG}[retention]\nmax_bytes = {1 << 26}\n")
    store = made.open()
    writer = writer_on(store, made.directory, made.signer)

    def commit_much(what, done, total):
        for n in range(100):
            writer.commit([LATE.submission(n * 100 + i) for i in range(100)], {})

    refusal = refused(made, target, ConfigError, progress=commit_much)
    store.close()

    assert "writes faster than its log has room for" in str(refusal)
    assert "stop the gateway for the backup" in refusal.fix


def test_what_devices_are_told_is_in_the_copy_for_its_owner_only(made, target):
    told = ControlStore(made.directory.control)
    told.set_config("shed", b"{}", lambda version: b"%d" % version)
    told.close()

    saved(made, target)

    copied = ControlStore(Directory(target).control)
    assert copied.configs() == [("shed", 1, b"{}", 1)]
    copied.close()
    assert Directory(target).control.stat().st_mode & 0o777 == 0o600
