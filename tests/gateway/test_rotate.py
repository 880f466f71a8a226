"""A new key for a directory: whole, or not at all, wherever it is interrupted."""

import os

import pytest

from gateway import directory as directories
from gateway import rotate
from gateway.directory import Directory
from gateway.errors import ConfigError, RolledBackError, StoreFailedError
from gateway.ledger.log import Log
from gateway.ledger.rotation import open_note
from gateway.ledger.signer import Signer, format_signer_key
from gateway.store.files import write_durable
from gateway.store.sqlite import SqliteStore
from tests.fakes import ORIGIN, SEED
from tests.gateway.ledger_files import make
from tests.gateway.rotated import SIZE, check_whole, keys_of

STRANGER = Signer(ORIGIN, SEED)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden", size=SIZE)


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def test_the_new_key_signs_and_the_old_one_is_gone(made):
    before = made.signer

    done = rotate.rotate(made.directory, ORIGIN)

    keys = check_whole(made.directory)
    after = made.directory.load_signer(ORIGIN)
    assert done == (SIZE, before.verifier_text, after.verifier_text, False)
    assert keys.epochs == [(0, before.verifier_key), (SIZE, after.verifier_key)]
    assert open_note(made.note, keys).size == SIZE + 1
    assert made.directory.signer.stat().st_mode & 0o077 == 0
    assert before.seed not in b"".join(p.read_bytes() for p in made.directory.path.iterdir())


def test_an_empty_ledger_can_be_given_a_new_key(tmp_path):
    first = directories.create(tmp_path / "garden", ORIGIN, "")
    directory = Directory(tmp_path / "garden")

    done = rotate.rotate(directory, ORIGIN)

    assert (done.entry, done.old) == (0, first.verifier_text)
    assert len(keys_of(directory).epochs) == 2


def test_rotating_again_makes_a_third_key(made):
    rotate.rotate(made.directory, ORIGIN)

    rotate.rotate(made.directory, ORIGIN)

    assert [size for size, _ in check_whole(made.directory).epochs] == [0, SIZE, SIZE + 1]


def test_a_directory_without_a_rotation_has_nothing_to_settle(made):
    before = {path.name: path.read_bytes() for path in made.directory.path.iterdir()}

    assert rotate.settle(made.directory, ORIGIN) is None

    assert {path.name: path.read_bytes() for path in made.directory.path.iterdir()} == before


@pytest.mark.parametrize(
    "content", [format_signer_key(ORIGIN, SEED).encode(), b"PRIVATE+KEY+", b"", b"\xff"]
)
def test_a_key_that_no_entry_speaks_of_is_taken_away(made, content):
    made.directory.next_signer.write_bytes(content)

    assert rotate.settle(made.directory, ORIGIN) == rotate.UNDONE

    assert len(check_whole(made.directory).epochs) == 1


def test_a_key_that_no_entry_speaks_of_stays_where_the_ledger_is_behind(made):
    """The end that was cut off may be what speaks of it."""
    made.directory.next_signer.write_text(format_signer_key(ORIGIN, SEED))
    made.execute("DELETE FROM entries WHERE idx >= 15")

    with pytest.raises(RolledBackError, match="15 entries, but its checkpoint of 20"):
        rotate.settle(made.directory, ORIGIN)

    assert made.directory.next_signer.exists()


def test_a_ledger_that_is_not_what_was_signed_gets_no_new_key(made):
    made.execute("DELETE FROM entries WHERE idx >= 15")

    with pytest.raises(RolledBackError):
        rotate.rotate(made.directory, ORIGIN)

    assert not made.directory.next_signer.exists()


def test_the_old_key_put_back_is_refused_with_the_key_that_is_meant(made):
    rotate.rotate(made.directory, ORIGIN)
    new = made.directory.load_signer(ORIGIN).verifier_text
    write_durable(made.directory.signer, format_signer_key(ORIGIN, made.signer.seed).encode())

    with pytest.raises(ConfigError, match="of before the rotation at entry 20") as refusal:
        made.directory.open_checked(made.directory.load_signer(ORIGIN))

    assert new in refusal.value.fix


def test_the_ledger_put_back_from_before_the_rotation_is_refused(made):
    old = made.directory.ledger.read_bytes()
    rotate.rotate(made.directory, ORIGIN)
    made.directory.ledger.write_bytes(old)

    with pytest.raises(RolledBackError, match="20 entries, but its checkpoint of 21"):
        made.directory.open_checked(made.directory.load_signer(ORIGIN))


class Full:
    """A disk without room for the file whose name starts so."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name):
        return getattr(os, name)

    def open(self, path, flags, mode=0o777):
        if path.name.startswith(self.name):
            raise OSError(28, "No space left on device")
        return os.open(path, flags, mode)


@pytest.mark.parametrize("name", ["signer.next", "checkpoint", "verifier.key"])
def test_a_disk_that_is_full_leaves_a_rotation_that_is_settled_later(made, name):
    with pytest.raises(StoreFailedError, match="No space left"):
        rotate.rotate(made.directory._replace(disk=Full(name)), ORIGIN)

    rotate.settle(made.directory, ORIGIN)

    epochs = check_whole(made.directory).epochs
    assert len(epochs) == (1 if name == "signer.next" else 2)


def test_a_secret_that_cannot_be_overwritten_does_not_hold_up_the_rotation(made):
    rotate.rotate(made.directory._replace(disk=Full("signer.key")), ORIGIN)

    assert len(check_whole(made.directory).epochs) == 2


def test_the_log_of_a_rotation_is_the_ledger_of_before_and_one_entry(made):
    store = SqliteStore(made.directory.ledger)
    before = store.read(Log.load)
    store.close()

    rotate.rotate(made.directory, ORIGIN)

    store = SqliteStore(made.directory.ledger)
    after = store.read(Log.load)
    first = store.read(lambda reader: reader.entries(0, SIZE))
    store.close()
    assert after.size == before.size + 1
    assert first[-1].chain == before.chain
