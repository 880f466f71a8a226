"""What SQLite leaves unread in its log, on logs that it wrote itself."""

import shutil

import apsw
import pytest

from gateway.store.wal import left_over

_HEAD, _FRAME = 32, 24 + 4096
_TRANSACTIONS = 6  # of one frame each


@pytest.fixture
def log(tmp_path):
    """The log of a database whose owner was killed."""
    database = apsw.Connection(str(tmp_path / "a.sqlite"))
    database.pragma("journal_mode", "wal")
    database.execute("CREATE TABLE t (n)")
    for n in range(_TRANSACTIONS - 1):
        database.execute("INSERT INTO t VALUES (?)", (n,))
    shutil.copy(tmp_path / "a.sqlite-wal", tmp_path / "log")
    database.close()
    return tmp_path / "log"


def flip(log, byte, bit=0):
    data = bytearray(log.read_bytes())
    data[byte] ^= 1 << bit
    log.write_bytes(data)


def test_a_log_that_was_read_to_its_end_has_nothing_left_over(log):
    frames = (log.stat().st_size - _HEAD) // _FRAME

    assert left_over(log, frames) == ""


@pytest.mark.parametrize("size", [None, 0, _HEAD])
def test_no_log_and_one_without_frames_have_nothing_left_over(tmp_path, log, size):
    if size is None:
        log.unlink()
    else:
        log.write_bytes(log.read_bytes()[:size])

    assert left_over(log, 0) == ""


def test_a_last_transaction_that_is_not_whole_may_be_one_that_was_cut_off(log):
    frames = (log.stat().st_size - _HEAD) // _FRAME

    assert "cut off before anybody was answered, or damaged" in left_over(log, frames - 1)


def test_several_transactions_that_cannot_be_read_are_damage(log):
    frames = (log.stat().st_size - _HEAD) // _FRAME

    assert left_over(log, frames - 3).startswith("3 transactions after its last whole one")


@pytest.mark.parametrize("byte", range(_HEAD))
def test_a_damaged_head_is_named_whatever_of_it_is_damaged(log, byte):
    flip(log, byte, bit=byte % 8)

    assert left_over(log, 0) != ""


@pytest.mark.parametrize("byte", range(8, 16))
def test_a_frame_is_known_for_one_of_this_log_by_its_salt_but_for_one_bit(log, byte):
    frames = (log.stat().st_size - _HEAD) // _FRAME
    flip(log, _HEAD + (frames - 1) * _FRAME + byte, bit=3)

    assert left_over(log, frames - 1) != ""


def test_frames_of_an_earlier_log_in_the_same_file_are_not_meant(tmp_path):
    database = apsw.Connection(str(tmp_path / "a.sqlite"))
    database.pragma("journal_mode", "wal")
    database.execute("CREATE TABLE t (n)")
    for n in range(20):
        database.execute("INSERT INTO t VALUES (?)", (n,))
    database.wal_checkpoint()
    database.execute("INSERT INTO t VALUES (20)")  # begins anew at the head of the file

    taken, _ = database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)

    log = tmp_path / "a.sqlite-wal"
    assert _HEAD + taken * _FRAME < log.stat().st_size
    assert left_over(log, taken) == ""
    database.close()
