"""A gateway's directory: made once, and refused when it is not what was signed."""

import pytest
from structlog.testing import capture_logs

from gateway import directory as directories
from gateway.directory import Directory
from gateway.errors import ConfigError, RolledBackError
from gateway.ledger.log import Log
from gateway.ledger.signer import Signer, format_signer_key
from protocol.checkpoint import unverified
from tests.fakes import ORIGIN, SEED, FakeDevice
from tests.gateway.ledger_files import CONFIG, Made, make, writer_on

SIZE = 300
FOREIGN = Signer(ORIGIN, SEED)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden", size=SIZE)


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def opened(made: Made) -> tuple[str, int]:
    store, note, size = made.directory.open_checked(made.signer)
    store.close()
    return note, size


def test_a_new_directory_holds_an_empty_signed_ledger_and_a_private_key(tmp_path):
    signer = directories.create(tmp_path / "garden", ORIGIN, CONFIG)
    directory = Directory(tmp_path / "garden")

    store, note, size = directory.open_checked(directory.load_signer(ORIGIN))
    store.close()

    assert (size, unverified(note).root) == (0, Log.empty().root())
    assert directory.load_signer(ORIGIN).seed == signer.seed
    assert [oct(p.stat().st_mode & 0o077) for p in (directory.signer, directory.keys)] == [
        "0o0"
    ] * 2


@pytest.mark.parametrize("file", ["tallystick.toml", "signer.key"])
def test_what_is_there_already_is_never_replaced(tmp_path, file):
    (tmp_path / file).write_text("mine")

    with pytest.raises(ConfigError, match=f"{file} is there already"):
        directories.create(tmp_path, ORIGIN, CONFIG)

    assert (tmp_path / file).read_text() == "mine"


def test_a_ledger_goes_on_from_its_last_checkpoint(made):
    assert opened(made) == (made.note, SIZE)


def test_the_note_inside_counts_where_the_file_beside_is_older(made):
    newer = made.note
    made.execute(
        "UPDATE state SET value = CAST(? AS BLOB) WHERE key = 'checkpoint'", newer.encode()
    )
    made.directory.keep_checkpoint(made.older)

    assert opened(made) == (newer, SIZE)


def test_what_was_kept_after_the_last_checkpoint_is_no_fault(made):
    store = made.open()
    writer_on(store, made.directory, made.signer).commit([FakeDevice("late").submission(0)], {})
    store.close()

    assert opened(made) == (made.note, SIZE)


def test_a_start_tells_of_a_log_that_could_not_be_read_to_its_end(made, tmp_path):
    """The entries in it may have been answered: that they are gone is never silent."""
    store = made.open()
    writer_on(store, made.directory, made.signer).commit([FakeDevice("late").submission(0)], {})
    killed = made.copy(tmp_path / "killed")
    store.close()
    log = killed.directory.path / "ledger.sqlite-wal"
    log.write_bytes(log.read_bytes()[:-1] + b"\xff")

    with capture_logs() as told:
        opened(killed)

    assert [one["log_level"] for one in told] == ["warning"]
    assert "its last transaction is not whole" in told[0]["detail"]


def rolled_back(made: Made) -> None:
    """An older copy of the ledger, under the newer checkpoint."""
    made.execute("DELETE FROM entries WHERE idx >= 256")


def foreign_checkpoint(made: Made) -> None:
    made.directory.keep_checkpoint(FOREIGN.sign(0, Log.empty().root()))


def garbage_everywhere(made: Made) -> None:
    made.directory.checkpoint.write_bytes(b"\xff\xfe")
    made.execute("UPDATE state SET value = x'ff' WHERE key = 'checkpoint'")


def torn(note: str, other: str) -> str:
    """The start of one note and the end of another."""
    middle = note.index("\n\n")
    return note[:middle] + other[other.index("\n\n") :]


TORN = {
    "nothing": lambda made: "",
    "half": lambda made: made.note[: len(made.note) // 2],
    "half and zeros": lambda made: made.note[:20] + "\0" * 100,
    "half of two": lambda made: torn(made.note, made.older),
}


@pytest.mark.parametrize("left", TORN.values(), ids=TORN)
def test_a_checkpoint_file_torn_by_a_power_cut_is_passed_over_for_the_note_inside(made, left):
    inside = made.value("SELECT value FROM state WHERE key = 'checkpoint'").decode()
    made.directory.checkpoint.write_text(left(made))

    assert opened(made) == (inside, unverified(inside).size)
    assert 0 < unverified(inside).size < SIZE


REFUSED = {
    "rolled back": (rolled_back, "256 entries, but its checkpoint of 300"),
    "tail cut": (lambda m: m.execute("DELETE FROM entries WHERE idx = 299"), "299 entries"),
    "leaf changed": (
        lambda m: m.execute(
            "UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE idx = 1) WHERE idx = 299"
        ),
        "first 300 entries are not those",
    ),
    "no checkpoint": (lambda m: m.directory.checkpoint.unlink(), "No such file"),
    "checkpoint by another key": (foreign_checkpoint, "not ours"),
    "garbage beside and inside": (garbage_everywhere, "not ours"),
    "garbage inside": (
        lambda m: m.execute("UPDATE state SET value = x'ff' WHERE key = 'checkpoint'"),
        "not ours",
    ),
}


@pytest.mark.parametrize(("damage", "message"), REFUSED.values(), ids=REFUSED)
def test_a_ledger_that_is_not_what_was_signed_is_refused_with_a_fix(made, damage, message):
    damage(made)

    with pytest.raises(RolledBackError, match=message) as refusal:
        opened(made)

    assert "restore" in refusal.value.fix


def test_an_empty_checkpoint_of_a_ledger_without_one_inside_is_refused(tmp_path):
    signer = directories.create(tmp_path / "garden", ORIGIN, CONFIG)
    Directory(tmp_path / "garden").checkpoint.write_text("")

    with pytest.raises(RolledBackError, match="not ours"):
        Directory(tmp_path / "garden").open_checked(signer)


def test_a_ledger_of_another_origin_is_refused(made):
    made.execute("UPDATE state SET value = CAST('other' AS BLOB) WHERE key = 'origin'")

    with pytest.raises(ConfigError, match="belongs to 'other'"):
        opened(made)


def test_a_missing_ledger_is_refused(made):
    made.directory.ledger.unlink()

    with pytest.raises(ConfigError, match="no ledger at"):
        opened(made)


KEYS = {
    "missing": (None, "No such file"),
    "damaged": (b"PRIVATE+KEY+x", "does not hold a key"),
    "no text": (b"\xff", "does not hold a key"),
    "another origin": (format_signer_key("other", SEED).encode(), "signs for 'other'"),
}


@pytest.mark.parametrize(("content", "message"), KEYS.values(), ids=KEYS)
def test_a_signer_key_that_is_not_ours_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "signer.key").write_bytes(content)

    with pytest.raises(ConfigError, match=message):
        Directory(tmp_path).load_signer(ORIGIN)
