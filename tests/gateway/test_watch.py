"""The watch over a real writer and a disk that a test fills, breaks and empties."""

import pytest

from gateway.config import DiskConfig
from gateway.errors import StoreFailedError, StoreFullError
from gateway.ledger import fsck
from gateway.store.reserve import Free
from gateway.watch import Watch
from protocol import fault as faults
from protocol.fault import FAULT, STORE_FAILED, STORE_FULL
from tests.fakes import ORIGIN, FakeDevice, FakeGateway, FakeReserve

CONFIG = DiskConfig(reserve_bytes=100, soft_free_bytes=2000, hard_free_bytes=1000)
FULL, BROKEN = StoreFullError("database or disk is full"), StoreFailedError("disk I/O error")


class Scene:
    """`at(s)` is a look at that second. `broken` is what each transaction is told, None: it works.

    A full disk takes what it is given while the reserve is released.
    """

    def __init__(self, free_bytes=5000):
        self.gateway = FakeGateway()
        self.reserve = FakeReserve()
        self.reserve.room = Free(free_bytes, None)
        self.watch = Watch(self.gateway.writer, self.reserve, CONFIG, self.gateway.metrics)
        self.broken = None
        self.device = FakeDevice()
        self.submitted = 0
        self._transact, self.gateway.store.transact = self.gateway.store.transact, self._on_disk

    def _on_disk(self, work):
        if self.broken is not None and not (self.broken is FULL and not self.reserve.held):
            raise self.broken
        return self._transact(work)

    def at(self, now_s):
        self.watch.tick(now_s)
        return self.watch.status()["state"]

    def submit(self, now_s) -> str:
        """What one submission hears, as the sequencer would tell it."""
        try:
            self.watch.admit()
            self.gateway.commit(self.device.submission(self.submitted))
        except (StoreFullError, StoreFailedError) as error:
            if error is self.broken:
                self.watch.refused(1)
                self.watch.tick(now_s)
            return error.reason
        self.submitted += 1
        return "kept"

    def recorded(self) -> list[tuple[str, int | None]]:
        entries = self.gateway.store.read(lambda r: r.entries(0, 10**6))
        found = [faults.decode(entry.body) for entry in entries if entry.kind == FAULT]
        return [(fault.what, fault.refused) for fault in found]

    def is_sound(self) -> bool:
        return fsck.check(self.gateway.store, ORIGIN, self.gateway.sign()).valid


def test_a_disk_that_is_full_is_recorded_with_the_reserve_and_taken_up_again_when_there_is_room():
    scene = Scene()
    scene.submit(0)
    scene.broken, scene.reserve.room = FULL, Free(20, None)

    heard = [scene.submit(1), scene.submit(2), scene.submit(3)]
    while_full = scene.recorded()
    scene.broken, scene.reserve.room = None, Free(5000, None)
    still = scene.submit(3.5)
    scene.at(4)
    after = scene.submit(5)

    assert heard == ["store-full"] * 3
    assert while_full == [(STORE_FULL, None)]
    assert (still, after) == ("store-full", "kept")
    assert scene.recorded() == [(STORE_FULL, None), (STORE_FULL, 4)]
    assert scene.reserve.held
    assert scene.is_sound()


def test_below_the_hard_limit_nothing_is_taken_in_before_the_disk_is_full():
    scene = Scene()
    scene.reserve.room = Free(999, None)
    scene.at(1)

    heard = scene.submit(1)

    assert heard == "store-full"
    assert scene.reserve.held
    assert scene.recorded() == [(STORE_FULL, None)]
    assert scene.watch.faults() == [
        "store-full: 999 bytes are free, hard_free_bytes is 1000;"
        " 1 submissions were refused meanwhile"
    ]
    assert scene.at(60) == "full"
    scene.reserve.room = Free(1100, None)
    assert scene.at(61) == "ok"
    assert scene.watch.faults() == []
    assert scene.recorded() == [(STORE_FULL, None), (STORE_FULL, 1)]


def test_a_store_that_fails_is_recorded_once_it_works_though_nobody_submits():
    scene = Scene()
    scene.broken = BROKEN

    heard = [scene.submit(0), scene.submit(0.5)]
    states = [scene.at(now_s) for now_s in (1, 2, 3)]
    failing = scene.gateway.writer.failing
    nothing = scene.recorded()
    scene.broken = None
    states += [scene.at(now_s) for now_s in (4, 11)]

    assert heard == ["store-failed"] * 2
    assert states == ["failed", "failed", "failed", "failed", "ok"]
    assert (failing, scene.gateway.writer.failing) == ("store-failed", None)
    assert nothing == []
    assert scene.recorded() == [(STORE_FAILED, None), (STORE_FAILED, 2)]
    assert scene.is_sound()


def test_a_store_that_fails_again_within_the_minute_is_well_again_without_an_entry():
    scene = Scene()
    for now_s in (0, 10):
        scene.broken = BROKEN
        scene.submit(now_s)
        scene.broken = None
        scene.at(now_s + 2)
    probed = (scene.watch.faults(), scene.gateway.writer.failing, len(scene.recorded()))

    scene.at(62)

    assert probed == ([], None, 2)
    assert scene.recorded() == [(STORE_FAILED, None), (STORE_FAILED, 1)] * 2


def test_a_failure_that_nobody_submitted_is_seen_too():
    scene = Scene()
    scene.broken = BROKEN
    with pytest.raises(StoreFailedError):  # an errand's
        scene.gateway.writer.commit_with(lambda _: ([], None), {"a": b""})

    assert scene.at(0.1) == "failed"


def test_a_gateway_that_cannot_make_its_reserve_takes_nothing_in():
    scene = Scene()
    scene.reserve.release()
    scene.reserve.can_be_taken = False

    states = [scene.at(0), scene.at(1)]
    told = scene.watch.faults()
    scene.reserve.can_be_taken = True
    states.append(scene.at(9))

    assert states == ["full", "full", "ok"]
    assert "too few to reserve 100" in told[0]


def test_a_write_that_fails_in_spite_of_the_room_is_tried_again_later():
    """As where somebody's long read keeps the log from being emptied."""
    scene = Scene()
    scene.broken = FULL

    scene.submit(0)
    states = [scene.at(now_s) for now_s in (1, 2)]
    scene.broken = None
    states.append(scene.at(10))

    assert states == ["full", "full", "ok"]
    assert scene.recorded() == [(STORE_FULL, None), (STORE_FULL, 1)]


def test_retention_is_asked_for_what_is_below_the_soft_limit_and_more_while_nothing_is_taken_in():
    scene = Scene()
    wanted = []

    for now_s, free in enumerate((5000, 2000, 1999, 999, 0, 5000)):
        scene.reserve.room = Free(free, None)
        scene.at(now_s)
        wanted.append(scene.watch.wanted_bytes)

    assert wanted == [0, 0, 1, 1001, 2000, 0]


def test_the_ledgers_own_limit_is_room_like_the_disks():
    scene = Scene()
    scene.broken, scene.reserve.room = FULL, Free(5000, 0)
    scene.submit(0)
    scene.broken = None

    states = [scene.at(1)]
    wanted = scene.watch.wanted_bytes
    scene.reserve.room = Free(5000, 100)
    states.append(scene.at(2))

    assert (states, wanted) == (["full", "ok"], 100)


class Blind(FakeReserve):
    def free(self):
        raise StoreFailedError("statvfs: I/O error")


def test_a_disk_that_does_not_say_how_much_is_free_is_written_to():
    gateway = FakeGateway()
    watch = Watch(gateway.writer, Blind(), CONFIG, gateway.metrics)

    watch.tick(0)
    watch.admit()

    assert watch.status()["state"] == "ok"
    assert watch.wanted_bytes == 0


def test_a_look_is_once_a_second():
    scene = Scene()
    scene.at(0)
    scene.reserve.room = Free(0, None)

    assert [scene.at(now_s) for now_s in (0.5, 0.99, 1)] == ["ok", "ok", "full"]
    assert scene.watch.status() == {
        "state": "full",
        "free_bytes": 0,
        "reserved": True,
        "refused": 0,
    }
    assert scene.gateway.metrics.registry.get_sample_value("tallystick_disk_free_bytes") == 0
