"""Space that is taken so that it can be given back, on a real file system."""

import os
import threading

import pytest

from gateway.errors import StoreFailedError, StoreFullError
from gateway.pruner import Pruner
from gateway.store import PAGE_BYTES, Selection
from gateway.store.memory import MemoryStore
from gateway.store.reserve import Reserve
from gateway.store.sqlite import SqliteStore
from protocol.prune import RETENTION
from tests.fakes import FakeDevice, FakeGateway

SIZE = 64 * PAGE_BYTES


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    yield store
    store.close()


def taken(path) -> int:
    """Bytes the file really takes."""
    return os.stat(path).st_blocks * 512


def test_the_space_is_really_taken_and_given_back(store, tmp_path):
    reserve = Reserve(tmp_path / "reserve", SIZE, store, None)

    held = [reserve.held, reserve.take(), reserve.take()]
    blocks = taken(tmp_path / "reserve")
    reserve.release()
    reserve.release()

    assert held == [False, True, True]
    assert blocks >= SIZE
    assert (reserve.held, (tmp_path / "reserve").exists()) == (False, False)


@pytest.mark.parametrize("before", [0, 2 * SIZE])
def test_a_reserve_of_another_size_is_made_to_fit(store, tmp_path, before):
    (tmp_path / "reserve").write_bytes(bytes(before))

    assert Reserve(tmp_path / "reserve", SIZE, store, None).take()
    assert (tmp_path / "reserve").stat().st_size == SIZE


def test_no_reserve_is_no_file(store, tmp_path):
    assert Reserve(tmp_path / "reserve", 0, store, None).take()
    assert not (tmp_path / "reserve").exists()


def test_what_does_not_fit_leaves_nothing_behind(store, tmp_path):
    reserve = Reserve(tmp_path / "reserve", 1 << 60, store, None)

    assert not reserve.take()
    assert (reserve.held, (tmp_path / "reserve").exists()) == (False, False)


def test_free_is_what_the_file_system_says(store, tmp_path):
    free = Reserve(tmp_path / "reserve", SIZE, store, None).free()

    disk = os.statvfs(tmp_path)
    assert free.ledger_bytes is None
    assert free.disk_bytes == pytest.approx(disk.f_bavail * disk.f_frsize, rel=0.1)


def test_a_directory_that_is_gone_is_told(store, tmp_path):
    with pytest.raises(StoreFailedError, match="No such file"):
        Reserve(tmp_path / "gone" / "reserve", SIZE, store, None).free()


def test_a_reserve_that_cannot_be_removed_stops_nobody(store, tmp_path):
    (tmp_path / "reserve").mkdir()
    reserve = Reserve(tmp_path / "reserve", SIZE, store, None)

    taken = reserve.take()
    reserve.release()

    assert (taken, reserve.held) == (False, False)


class Stubborn(MemoryStore):
    """A database that cannot be told how large it may be."""

    def limit_pages(self, pages):
        raise StoreFailedError("disk I/O error")


def test_a_ledger_that_takes_no_limit_stops_nobody(tmp_path):
    reserve = Reserve(tmp_path / "reserve", SIZE, Stubborn(), 320)

    held = reserve.take()
    reserve.release()

    assert (held, reserve.held) == (True, False)


def while_all_connections_read(store, work, connections: int = 4):
    """What `work` answers in another thread meanwhile; None where it does not."""
    if connections:
        return store.read(lambda _: while_all_connections_read(store, work, connections - 1))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(work()), daemon=True)
    thread.start()
    thread.join(5)
    return answers[0] if answers else None


def test_the_writers_look_at_the_room_waits_for_no_reader(store, tmp_path):
    FakeGateway(store).fill(20)
    reserve = Reserve(tmp_path / "reserve", SIZE, store, 320)

    free = while_all_connections_read(store, reserve.free)
    used_bytes = while_all_connections_read(store, store.used_bytes)

    assert free.ledger_bytes == 310 * PAGE_BYTES - used_bytes
    assert used_bytes == store.sizes().used_bytes


def test_a_step_of_deletion_waits_for_no_reader(store):
    gateway = FakeGateway(store)
    gateway.fill(20)

    def prune():
        return Pruner(store, None, None, gateway.metrics)._prune(
            Selection(0, 5), RETENTION, gateway.writer
        )

    done, _ = while_all_connections_read(store, prune)

    assert done.prune.count == 5


def fill(gateway: FakeGateway, device: FakeDevice) -> int:
    """Packs until the store is full; how many went in."""
    for n in range(10_000):
        try:
            gateway.commit(device.submission(n))
        except StoreFullError:
            return n
    raise AssertionError("it is never full")


def test_below_the_ledgers_own_limit_pages_are_kept_back_until_they_are_needed(store, tmp_path):
    gateway = FakeGateway(store)
    reserve = Reserve(tmp_path / "reserve", SIZE, store, 320)
    reserve.take()
    kept_back = 320 // 32

    fill(gateway, FakeDevice("first"))
    full = (store.sizes().file_bytes // PAGE_BYTES, reserve.free().ledger_bytes)
    reserve.release()
    more = fill(gateway, FakeDevice("second"))
    over = store.sizes().used_bytes // PAGE_BYTES

    # the file grows when the log is emptied into it, and may be a few pages behind
    assert full[0] <= 320 - kept_back
    assert full[1] < 4 * PAGE_BYTES
    assert more > 0
    assert 320 - kept_back < over <= 320
