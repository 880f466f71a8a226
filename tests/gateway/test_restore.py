"""A backup becomes a gateway again: as the newest there is, or as another ledger."""

import fcntl
import shutil

import pytest

from gateway import backup as backups
from gateway import quarantine, restore, rotate
from gateway.directory import Directory
from gateway.errors import ConfigError, DamagedError, RolledBackError, StoreFailedError
from gateway.ledger import fsck
from gateway.ledger.signer import Signer, format_signer_key
from gateway.restore import Wish
from gateway.store.keys import KeyStore
from protocol.checkpoint import unverified
from protocol.recovery import RECOVERED
from tests.fakes import ORIGIN, SEED, FakeDevice
from tests.gateway.ledger_files import Made, make, writer_on

SIZE, NEW = 60, "test.invalid/ledger-2"
LATE = FakeDevice("late")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("sound") / "garden", size=SIZE)
    made.directory.tokens.write_text("[]")
    backups.backup(made.directory, made.directory.path.with_name("saved"), quiet, with_key=False)
    return made


def quiet(what, done, total):
    pass


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


@pytest.fixture
def saved(sound, tmp_path):
    return shutil.copytree(sound.directory.path.with_name("saved"), tmp_path / "saved")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "garden"


def restored(saved, target, **wish):
    return restore.restore(saved, target, Wish(**wish), quiet)


def refused(saved, target, error=ConfigError, **wish):
    with pytest.raises(error) as refusal:
        restored(saved, target, **wish)
    assert not target.exists() or not list(target.iterdir())
    return refusal.value


def grown(made: Made, count: int = 1) -> str:
    """The original goes on; its newest checkpoint."""
    store = made.open()
    writer = writer_on(store, made.directory, made.signer)
    for n in range(count):
        writer.commit([LATE.submission(1000 + n)], {})
    writer.sign_if_due(0, force=True)
    store.close()
    return made.note


def check_signs(target, origin=ORIGIN) -> int:
    directory = Directory(target)
    store, note, _ = directory.open_checked(directory.load_signer(origin))
    report = fsck.check(store, origin, note)
    store.close()
    assert report.valid
    return report.entries


def test_a_copy_that_continues_the_newest_checkpoint_goes_on(made, saved, target):
    done = restored(saved, target, note=made.note, key=made.directory.signer)

    assert done == (target, ORIGIN, SIZE, None)
    assert check_signs(target) == SIZE
    assert (target / "signer.key").stat().st_mode & 0o077 == 0
    KeyStore(target / "keys.sqlite").close()


def test_an_older_checkpoint_is_continued_too_and_the_newest_stays(made, saved, target):
    restored(saved, target, note=made.older, key=made.directory.signer)

    assert unverified((target / "checkpoint").read_text()).size == SIZE


def test_a_checkpoint_newer_than_the_copys_own_is_held_to_from_now_on(made, target, tmp_path):
    """The copy has entries that no note of its own covers; the newest covers them."""
    store = made.open()
    writer_on(store, made.directory, made.signer).commit([LATE.submission(1)], {})
    store.close()
    backups.backup(made.directory, tmp_path / "later", quiet, with_key=True)
    newest = grown(made, 0)
    assert unverified(newest).size == SIZE + 1

    restored(tmp_path / "later", target, note=newest)

    assert (target / "checkpoint").read_text() == newest


def test_a_copy_that_is_behind_is_refused(made, saved, target):
    refusal = refused(saved, target, note=grown(made), key=made.directory.signer)

    assert f"{SIZE + 1} entries of {ORIGIN}, and our {SIZE} are not" in str(refusal)
    assert "--new-origin NAME" in refusal.fix


def test_a_copy_of_another_history_is_refused(made, saved, target):
    other = made.signer.sign(SIZE - 1, bytes(32))

    assert "are not what they continue as" in str(
        refused(saved, target, note=other, key=made.directory.signer)
    )


def test_nothing_is_restored_on_its_own_word(made, saved, target):
    refusal = refused(saved, target, key=made.directory.signer)

    assert "may be behind what was signed since" in str(refusal)
    assert "--checkpoint FILE" in refusal.fix
    assert "--new-origin NAME" in refusal.fix


FOREIGN = {
    "garbage": "garbage",
    "nothing": "",
    "by another key": Signer(ORIGIN, SEED).sign(5, bytes(32)),
    "of another origin": Signer("other", SEED).sign(5, bytes(32)),
}


@pytest.mark.parametrize("note", FOREIGN.values(), ids=FOREIGN)
def test_a_checkpoint_that_is_not_this_ledgers_vouches_for_nothing(made, saved, target, note):
    assert "no key that the backup knows" in str(
        refused(saved, target, note=note, key=made.directory.signer)
    )


def test_a_copy_from_before_a_rotation_is_refused_with_the_old_key_and_the_new(
    made, saved, target, tmp_path
):
    old = shutil.copy(made.directory.signer, tmp_path / "old.key")
    rotate.rotate(made.directory, ORIGIN)

    with_old = refused(saved, target, note=made.note, key=tmp_path / "old.key")
    with_new = refused(saved, target, note=made.note, key=made.directory.signer)

    assert old
    assert "no key that the backup knows" in str(with_old)
    assert "too old" in with_old.fix
    assert "rotated after the copy" in str(with_new)


def test_a_copy_from_after_a_rotation_goes_on_with_the_new_key(made, target, tmp_path):
    rotate.rotate(made.directory, ORIGIN)
    backups.backup(made.directory, tmp_path / "after", quiet, with_key=True)

    restored(tmp_path / "after", target, note=made.note)

    assert check_signs(target) == SIZE + 1


def test_two_restored_copies_do_not_both_sign(made, saved, target, tmp_path):
    """The first goes on. Its checkpoint keeps the second from going on beside it."""
    restored(saved, target, note=made.note, key=made.directory.signer)
    first = made._replace(directory=Directory(target))
    newest = grown(first)

    second = tmp_path / "second"
    refused(saved, second, note=newest, key=made.directory.signer)
    done = restored(saved, second, note=newest, new_origin=NEW)

    assert done.origin == NEW
    assert check_signs(second, NEW) == 1
    assert Directory(second).load_signer(NEW).seed != made.signer.seed


def test_another_ledger_names_the_newest_checkpoint_and_needs_no_key(made, saved, target):
    newest = grown(made)

    done = restored(saved, target, note=newest, new_origin=NEW)

    directory = Directory(target)
    store, *_ = directory.open_checked(directory.load_signer(NEW))
    (first,) = store.read(lambda reader: reader.entries(0, 1))
    store.close()
    assert (done.origin, first.kind) == (NEW, RECOVERED)
    assert done.recovered.recovery == (ORIGIN, newest, SIZE)
    assert done.recovered.retired.parent == target
    assert done.recovered.retired.is_dir()


def test_another_ledger_can_be_made_without_any_checkpoint(saved, target):
    done = restored(saved, target, new_origin=NEW)

    assert unverified(done.recovered.recovery.note).size == SIZE


def test_a_damaged_copy_becomes_another_ledger_only_without_its_numbers(saved, target):
    (saved / "ledger.sqlite").write_bytes(b"garbage" * 999)

    refusal = refused(saved, target, new_origin=NEW)
    done = restored(saved, target, new_origin=NEW, without_numbers=True)

    assert "--without-numbers" in refusal.fix
    assert done.recovered.recovery.numbers is None


def test_a_copy_whose_entries_are_damaged_does_not_go_on(made, saved, target):
    damaged = made._replace(directory=Directory(saved))
    damaged.execute("UPDATE bodies SET body = x'00' WHERE idx = 7")

    refusal = refused(saved, target, DamagedError, note=made.note, key=made.directory.signer)

    assert "entry 7" in str(refusal)


def test_without_the_ledgers_key_nothing_goes_on(made, saved, target, tmp_path):
    other = tmp_path / "other.key"
    other.write_text(format_signer_key(ORIGIN, SEED))

    missing = refused(saved, target, note=made.note)
    gone = refused(saved, target, note=made.note, key=tmp_path / "nowhere")
    wrong = refused(saved, target, note=made.note, key=other)

    assert "--key FILE" in missing.fix
    assert "No such file" in str(gone)
    assert "is not the copy's" in str(wrong)


def test_a_directory_with_anything_in_it_is_left_alone(made, saved, target):
    target.mkdir()
    (target / "mine").write_text("mine")

    with pytest.raises(ConfigError, match="is there already"):
        restored(saved, target, note=made.note, key=made.directory.signer)

    assert (target / "mine").read_text() == "mine"


def test_an_empty_directory_is_filled(made, saved, target):
    target.mkdir()

    restored(saved, target, note=made.note, key=made.directory.signer)

    assert check_signs(target) == SIZE


def test_half_a_backup_is_none(made, saved, target, tmp_path):
    half = saved.rename(tmp_path / "saved.part")

    for source in (half, tmp_path / "nowhere", made.directory.ledger):
        assert "is no backup" in str(refused(source, target, note=made.note))


def test_a_directory_in_use_is_no_backup(made, target):
    with (made.directory.path / "lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        refusal = refused(made.directory.path, target, note=made.note)

    assert "run `tallystick backup" in refusal.fix
    restored(made.directory.path, target, note=made.note)
    assert check_signs(target) == SIZE


def test_a_directory_in_quarantine_stays_there(made, target):
    newer = made.signer.sign(SIZE + 5, bytes(32))
    quarantine.keep(made.directory.quarantine, RolledBackError("seen", "fix", newer))

    assert str(refused(made.directory.path, target, RolledBackError, note=made.note)) == "seen"


def test_a_file_that_cannot_be_copied_is_named(saved, target, made):
    (saved / "keys.sqlite").unlink()
    (saved / "keys.sqlite").mkdir()

    refusal = refused(saved, target, StoreFailedError, note=made.note)

    assert str(refusal) == "copying keys.sqlite: Is a directory"
