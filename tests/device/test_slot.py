import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest

from device.clock import Clock
from device.config import SensorConfig
from device.slot import Slot
from protocol.cbor import Decimal, decimal
from protocol.limits import MAX_MANTISSA
from tests.device.board import FakeBoard

NOON_MS = 1_763_692_800_000
GOOD = (("", "Cel", decimal(215, -1)),)


class Driver:
    """The driver `scripted`: each read gives the next thing, or raises it, or makes no sensor."""

    def __init__(self):
        self.KEYS = {}
        self.script = []
        self.absent = False
        self.opened = 0

    def Sensor(self, board, keys):  # noqa: N802 (a driver's class)
        self.opened += 1
        if self.absent:
            raise OSError(19)
        return self

    def read(self):
        given = self.script.pop(0) if self.script else GOOD
        if isinstance(given, Exception):
            raise given
        return given


@pytest.fixture
def driver():
    sys.modules["device.sensors.scripted"] = made = Driver()
    yield made
    del sys.modules["device.sensors.scripted"]


def slot_of(board, *, every_ms=10_000, at_ms=None):
    config = SensorConfig("scripted", "air", every_ms)
    config.at_ms = at_ms
    return Slot(board, config, "greenhouse-3", 0)


def times_of_reads(slot, board, clock, duration_ms, step_ms=100):
    """When a sampler that looks every `step_ms` would have read it."""
    times = []
    for _ in range(0, duration_ms, step_ms):
        now_ms = clock.uptime_ms()
        if slot.due_ms <= now_ms:
            times.append(now_ms)
            slot.read()
            slot.plan(now_ms, clock)
        board.now_ms += step_ms
    return times


def test_a_sensor_that_is_absent_is_asked_again_at_growing_intervals_and_used_once_it_is_there(
    driver,
):
    board = FakeBoard()
    clock = Clock(board)
    slot = slot_of(board)
    driver.absent = True

    times = times_of_reads(slot, board, clock, 1_300_000)
    driver.absent = False
    board.now_ms += 300_000

    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]
    assert slot.errors == len(times)
    assert slot.read() == GOOD
    slot.plan(clock.uptime_ms(), clock)
    assert slot.due_ms - clock.uptime_ms() <= 10_000


def test_a_sensor_that_failed_is_opened_anew_before_the_next_read(driver):
    slot = slot_of(FakeBoard())
    driver.script = [GOOD, OSError(110), GOOD, GOOD]

    reads = [slot.read() for _ in range(4)]

    assert reads == [GOOD, (), GOOD, GOOD]
    assert (driver.opened, slot.errors) == (2, 1)
    assert "110" in slot.reason


@pytest.mark.parametrize(
    "given",
    [
        (("", "Cel", 21.5),),
        (("", "Cel", "21.5"),),
        (("", "Cel", True),),
        (("", "Cel", None),),
        (("", "Cel", Decimal(2150, -2)),),  # not in its one spelling: the gateway refuses it
        (("", "Cel", Decimal(21, 0)),),
        (("", "Cel", Decimal(1, -19)),),
        (("", "Cel", 1 << 63),),
        (("", None, 21),),
        (("", "a unit that is no unit", 21),),
        (("with spaces", "Cel", 21),),
        (("x" * 64, "Cel", 21),),
        (("temperature", "Cel"),),
        (GOOD[0], ("humidity", "%RH", 0.5)),
        (),
        21,
        None,
    ],
)
def test_what_the_gateway_would_refuse_is_a_failed_read(given, driver):
    slot = slot_of(FakeBoard())
    driver.script = [given]

    assert slot.read() == ()
    assert slot.errors == 1
    assert slot.read() == GOOD


@pytest.mark.parametrize("value", [MAX_MANTISSA, -MAX_MANTISSA, Decimal(MAX_MANTISSA, -18), 0])
def test_what_the_gateway_just_takes_is_a_reading(value, driver):
    slot = slot_of(FakeBoard())
    driver.script = [tuple((f"part-{number}", "u" * 16, value) for number in range(16))]

    quantities = slot.read()

    assert len(quantities) == 16
    assert slot.name_of(quantities[15][0]) == "greenhouse-3/air/part-15"


def test_more_quantities_than_a_pack_should_hold_are_a_failed_read(driver):
    slot = slot_of(FakeBoard())
    driver.script = [GOOD * 17]

    assert slot.read() == ()


def test_reads_fall_on_the_clocks_periods_once_it_is_set(driver):
    board = FakeBoard()
    clock = Clock(board)
    slot = slot_of(board, at_ms=2000)
    before = times_of_reads(slot, board, clock, 25_000)
    clock.learn(NOON_MS + 3300)

    after = [clock.time_ms(now_ms) for now_ms in times_of_reads(slot, board, clock, 60_000)]

    assert [now_ms % 10_000 for now_ms in before] == [0, 0, 0]
    assert [time_ms % 10_000 for time_ms in after[1:]] == [2000] * (len(after) - 1)
    assert len(after) >= 5


def test_a_clock_that_is_set_back_a_little_brings_no_second_read(driver):
    board = FakeBoard()
    clock = SimpleNamespace(is_set=True, time_ms=lambda now_ms: NOON_MS + now_ms - 50)
    slot = slot_of(board, at_ms=0)

    slot.plan(20_000, clock)  # by the clock as it was, 20 s; now it says 19.95 s

    assert slot.due_ms == 30_050
