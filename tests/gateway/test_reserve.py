"""Space that is taken so that it can be given back, on a real file system."""

import os

import pytest

from gateway.errors import StoreFailedError, StoreFullError
from gateway.store import PAGE_BYTES
from gateway.store.reserve import Reserve
from gateway.store.sqlite import SqliteStore
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
