import asyncio

import pytest

from device.clock import Clock
from device.config_file import check
from device.identity import Identity
from device.packer import Packer
from device.sampler import Sampler
from protocol import envelope, envelope_reader, resolve
from protocol.cbor import decimal
from tests.device.board import FakeBoard, open_outbox
from tests.device.driver_checks import with_bme280

NAME, SECRET = "greenhouse-3", bytes(range(32))
NOON_MS = 1_763_692_800_000


class Rig:
    """A sampler, all that it talks to, and what came out of it."""

    def __init__(self, folder, **settings):
        fields = {"name": NAME, "secret": SECRET.hex(), "gateway": "g:1"}
        config = check(fields | settings)
        self.board = FakeBoard()
        self.clock = Clock(self.board)
        self.outbox = open_outbox(self.board, folder / "outbox", config.outbox_bytes)
        self.woken = 0
        self.packer = Packer(Identity(NAME, SECRET, 7), self.outbox, self.clock, self._wake)
        self.sampler = Sampler(self.board, config, self.outbox, self.clock, self.packer)

    def _wake(self):
        self.woken += 1

    def run_for(self, duration_ms, step_ms=100):
        for _ in range(0, duration_ms, step_ms):
            self.sampler.tick()
            self.board.now_ms += step_ms

    def envelopes(self):
        found = []
        while (sealed := self.outbox.peek()) is not None:
            found.append(envelope_reader.parse(sealed))
            envelope_reader.check(found[-1], envelope.direction_key(SECRET, "up"), "up")
            self.outbox.advance()
        return found

    def whole_packs(self):
        return [resolve.decode_pack(one.payload) for one in self.envelopes()]

    def packs(self):
        """What was gathered, without what the packer adds."""
        added = [f"{NAME}/{word}" for word in ("started", "ended", "uptime")]
        return [[one for one in pack if one.name not in added] for pack in self.whole_packs()]


def test_readings_are_gathered_sealed_and_numbered_without_holes(tmp_path):
    rig = Rig(tmp_path, readings_per_pack=3, pack_age_ms=600_000)

    rig.run_for(90_000)

    envelopes = rig.envelopes()
    assert [(one.epoch, one.sequence) for one in envelopes] == [(7, 0), (7, 1), (7, 2)]
    temperatures = [one.payload.count(b"temperature") for one in envelopes]
    assert temperatures == [3, 3, 3]
    assert rig.woken == 3


def test_without_a_clock_times_are_relative_to_the_moment_of_sealing(tmp_path):
    rig = Rig(tmp_path, readings_per_pack=2)

    rig.run_for(10_100)

    [pack] = rig.packs()
    assert [reading.time_ms for reading in pack] == [-10_000, 0]
    assert pack[0].name == "greenhouse-3/temperature"
    assert pack[0].value == decimal(2150, -2)


def test_with_a_clock_times_are_unix_ms(tmp_path):
    rig = Rig(tmp_path, readings_per_pack=2)
    rig.clock.learn(NOON_MS)

    rig.run_for(10_100)

    assert [reading.time_ms for reading in rig.packs()[0]] == [NOON_MS, NOON_MS + 10_000]


def test_a_pack_is_sealed_when_it_is_old_enough(tmp_path):
    rig = Rig(tmp_path, readings_per_pack=100, pack_age_ms=30_000)

    rig.run_for(30_200)

    assert [len(pack) for pack in rig.packs()] == [4]


def test_a_failed_read_is_counted_and_told_later(tmp_path):
    rig = Rig(tmp_path, readings_per_pack=1)
    rig.board.degrees = None
    rig.run_for(10_000)
    rig.board.degrees = decimal(2155, -2)

    rig.run_for(10_000)

    [pack] = rig.packs()
    told = {reading.name: reading.value for reading in pack}
    assert told == {
        "greenhouse-3/temperature": decimal(2155, -2),
        "greenhouse-3/temperature/read-errors": 1,
    }


def test_a_pack_over_one_datagram_is_split(tmp_path):
    sensors = [
        {"driver": "simulated", "name": f"a-long-name-of-a-sensor-{index:02d}", "every_ms": 1000}
        for index in range(40)
    ]
    rig = Rig(tmp_path, readings_per_pack=40, sensors=sensors)

    rig.run_for(100)

    packs = rig.packs()
    assert len(packs) > 1
    assert sum(len(pack) for pack in packs) == 40


def test_what_overflow_dropped_is_told_in_a_later_pack(tmp_path):
    rig = Rig(tmp_path, outbox_bytes=4096)

    rig.run_for(600_000, step_ms=1000)

    told = [one.value for pack in rig.packs() for one in pack if one.name.endswith("/dropped")]
    assert told == sorted(told)
    assert 0 < told[-1] <= rig.outbox.dropped


def test_what_the_flash_damaged_and_would_not_take_is_told(tmp_path):
    rig = Rig(tmp_path)
    rig.run_for(100)
    (tmp_path / "outbox" / "s00000001").write_bytes(b"\xff" * 50)
    assert rig.outbox.peek() is None
    rig.board.flash_fails = True
    rig.run_for(10_000)
    rig.board.flash_fails = False

    rig.run_for(20_000)

    told = {one.name: one.value for pack in rig.packs() for one in pack}
    assert 0 < told["greenhouse-3/corrupt"] <= rig.outbox.corrupt
    assert told["greenhouse-3/flash-errors"] == rig.outbox.flash_errors > 0


def test_slept_through_periods_are_left_out(tmp_path):
    rig = Rig(tmp_path)
    rig.sampler.tick()
    rig.board.now_ms += 3_600_000

    rig.sampler.tick()
    rig.board.now_ms += 1000
    rig.sampler.tick()

    assert rig.sampler.sampled in (2, 3)


def test_each_sensor_tells_of_its_own_failed_reads_as_often_as_they_change(tmp_path):
    sensors = [
        {"driver": "board-temperature", "name": "chip", "every_ms": 1000},
        {"driver": "simulated", "name": "air", "every_ms": 1000},
    ]
    rig = Rig(tmp_path, readings_per_pack=100, pack_age_ms=5000, sensors=sensors)
    rig.board.degrees = None

    rig.run_for(30_000)

    packs = rig.packs()
    told = [one.value for pack in packs for one in pack if one.name.endswith("/read-errors")]
    assert {one.name for pack in packs for one in pack} == {
        "greenhouse-3/air",
        "greenhouse-3/chip/read-errors",
    }
    assert told == sorted(set(told))
    assert told[-1] == rig.sampler.read_errors


def test_a_sensor_that_was_never_there_is_told_of_when_a_reading_would_have_been(tmp_path):
    rig = Rig(tmp_path, readings_per_pack=100, pack_age_ms=25_000)
    rig.board.degrees = None

    rig.run_for(25_200)

    [[reading]] = rig.packs()
    assert (reading.name, reading.unit) == ("greenhouse-3/temperature/read-errors", "count")
    assert reading.value == 2  # at once, after 10 s, and not again before 30 s have gone


def test_all_quantities_of_a_read_are_in_one_pack_with_their_units(tmp_path):
    wired, _ = with_bme280()
    sensors = [{"driver": "bme280", "name": "air", "sda": 4, "scl": 5}]
    rig = Rig(tmp_path, sensors=sensors)
    rig.board.wired = wired

    rig.run_for(100)

    [pack] = rig.packs()
    assert [(one.name, one.unit) for one in pack] == [
        ("greenhouse-3/air/temperature", "Cel"),
        ("greenhouse-3/air/humidity", "%RH"),
        ("greenhouse-3/air/pressure", "Pa"),
    ]


def test_what_stays_inside_the_dead_band_makes_no_pack(tmp_path):
    sensors = [{"driver": "board-temperature", "band": 1, "at_least_ms": 60_000}]
    rig = Rig(tmp_path, sensors=sensors)

    rig.run_for(130_000)

    assert [len(pack) for pack in rig.packs()] == [1, 1, 1]
    assert rig.sampler.sampled == 13


def test_an_alarm_seals_what_was_gathered_at_once(tmp_path):
    sensors = [{"driver": "board-temperature", "alarm_above": 30}]
    rig = Rig(tmp_path, readings_per_pack=100, pack_age_ms=600_000, sensors=sensors)
    rig.run_for(30_000)
    assert rig.outbox.peek() is None
    rig.board.degrees = decimal(301, -1)

    rig.run_for(10_000)

    [pack] = rig.packs()
    assert [one.value for one in pack] == [decimal(215, -1)] * 3 + [decimal(301, -1)]


@pytest.mark.parametrize("limit", [1, 7])
async def test_a_limit_ends_it_and_seals_what_was_gathered(tmp_path, limit):
    sensors = [{"driver": "simulated", "every_ms": 0}]
    rig = Rig(tmp_path, readings_per_pack=5, sensors=sensors)
    events = []

    running = asyncio.create_task(rig.sampler.run(events.append, lambda: None, limit))
    await rig.board.advance(1000)
    await running

    assert sum(len(pack) for pack in rig.packs()) == limit
