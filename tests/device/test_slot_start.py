"""What comes before a slot is entered: a trial has limits of the selector's own, rot is found."""

import sys
import types
from hashlib import sha256

import pytest

from device import slot_start
from device.slots import Slots
from tests.device.releases import release
from tests.device.selecting import on_trial, rot, started
from tools.board import layout

FILES = {
    "device/main.mpy": b"main" * 300,
    "device/sensors/more.mpy": b"more",
    "protocol/coap.mpy": b"coap",
}
DEEP_SLEEP = 4


class Reset(BaseException):
    """A board starts anew here."""


class Machine(types.ModuleType):
    """`machine` of a board; its clock is the test's."""

    DEEPSLEEP_RESET = DEEP_SLEEP

    def __init__(self, cause=1):
        super().__init__("machine")
        self.cause = cause
        self.timers, self.watchdogs = [], []

    def reset_cause(self):
        return self.cause

    def reset(self):
        raise Reset

    def Timer(self, number, *, period, callback):  # noqa: N802 (a class)
        self.timers.append((number, period, callback))
        return self.timers[-1]

    def WDT(self, timeout):  # noqa: N802 (a class)
        self.watchdogs.append(timeout)


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setitem(sys.modules, "machine", machine)
    return machine


@pytest.fixture
def root(tmp_path):
    """1.0.0 in /a runs; /b has 0.9.0, which did before."""
    release(tmp_path, FILES, version="1.0.0", counter=2).rename(tmp_path / "a")
    older = FILES | {"device/main.mpy": b"older"}
    release(tmp_path, older, version="0.9.0", counter=1).rename(tmp_path / "b")
    (tmp_path / "data").mkdir()
    slots = started(tmp_path)
    slots.active, slots.floor = "a", 2
    slots.save()
    return tmp_path


def prepared(root) -> Slots:
    slots = started(root)
    slot_start.prepare(slots)
    return slots


# --- a trial --------------------------------------------------------------------------------


@pytest.mark.parametrize(("platform", "number"), [("rp2", -1), ("esp32", 0)])
def test_a_trial_that_does_nothing_to_be_confirmed_is_reset_and_ends(
    root, machine, monkeypatch, platform, number
):
    monkeypatch.setattr(sys, "platform", platform)
    on_trial(root, counter=3)
    for _ in range(2):
        slots = prepared(root)
        assert slots.trial == "b"
        (timer,) = machine.timers
        assert slots.timer is timer
        assert timer[:2] == (number, 1_200_000)
        with pytest.raises(Reset):
            timer[2](timer)
        machine.timers.clear()

    assert prepared(root).active == "a"
    assert started(root).outcome == "1.1.0 rolled back: no receipt in 2 starts"
    assert machine.timers == []


def test_a_trial_that_was_confirmed_is_left_alone_when_its_time_comes(root, machine):
    on_trial(root, counter=3)
    slots = prepared(root)
    slots.confirm()

    ((_, _, callback),) = machine.timers
    callback(None)

    assert started(root).active == "b"


def test_a_trial_has_a_watchdog_and_what_works_has_none_of_the_selectors(root, machine):
    on_trial(root, counter=3)
    prepared(root)
    assert machine.watchdogs == [8000]

    started(root).roll_back("of no use")
    prepared(root)

    assert machine.watchdogs == [8000]


# --- rot ------------------------------------------------------------------------------------


def test_a_slot_that_is_as_it_was_made_stays_and_nothing_is_written(root):
    before = {path: path.stat().st_mtime_ns for path in (root / "data").iterdir()}

    slots = prepared(root)

    assert (slots.active, slots.outcome) == ("a", "")
    assert {path: path.stat().st_mtime_ns for path in (root / "data").iterdir()} == before


@pytest.mark.parametrize("file", [*FILES, "manifest"])
def test_one_rotten_bit_has_the_other_slot_run_and_lowers_no_floor(root, file):
    rot(root / "a" / file)

    prepared(root)

    slots = started(root)
    assert (slots.choose(), slots.floor) == ("b", 2)
    assert slots.outcome.startswith("fell back: ")
    if file != "manifest":
        assert slots.outcome == f"fell back: {file}"


def test_a_file_that_is_gone_is_rotten(root):
    (root / "a" / "protocol" / "coap.mpy").unlink()

    assert prepared(root).outcome == "fell back: protocol/coap.mpy"


@pytest.mark.parametrize("path", FILES)
def test_each_rotten_byte_of_a_path_or_a_digest_in_the_manifest_is_found(root, path):
    manifest = root / "a" / "manifest"
    whole = manifest.read_bytes()
    parts = (path.encode(), sha256(FILES[path]).digest())
    places = [whole.index(part) + n for part in parts for n in range(len(part))]

    for at in places:
        manifest.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert slot_start.first_bad(f"{root}/a"), at


@pytest.mark.parametrize("cut", [0, 1, 7, 40, 100, -65, -1])
def test_a_manifest_that_ends_too_early_is_none(root, cut):
    manifest = root / "a" / "manifest"
    manifest.write_bytes(manifest.read_bytes()[:cut])

    assert slot_start.first_bad(f"{root}/a") == "manifest"


def test_what_came_by_cable_is_held_to_its_list(root):
    modules = {**FILES, "device/slots.mpy": b"", "device/slot_start.mpy": b""}
    (root / "a" / "manifest").write_bytes(layout.files(modules, b"")[layout.MANIFEST])
    assert prepared(root).active == "a"

    rot(root / "a" / "device" / "sensors" / "more.mpy")

    assert prepared(root).outcome == "fell back: device/sensors/more.mpy"


def test_rot_in_both_slots_is_told_once_and_the_active_one_runs(root):
    rot(root / "a" / "device" / "main.mpy")
    rot(root / "b" / "protocol" / "coap.mpy")

    first = prepared(root)
    assert (first.active, first.outcome) == ("a", "rotten: device/main.mpy")
    first.told()

    again = prepared(root)
    assert (again.active, again.outcome) == ("a", "")


def test_a_slot_that_was_rolled_back_is_not_fallen_back_to(root):
    on_trial(root, counter=3)
    started(root).roll_back("of no use")
    rot(root / "a" / "device" / "main.mpy")

    assert prepared(root).active == "a"


def test_a_file_that_reads_wrong_once_is_not_rotten(root, monkeypatch):
    found = iter(["device/main.mpy", ""])
    monkeypatch.setattr(slot_start, "first_bad", lambda folder: next(found))

    slots = prepared(root)

    assert (slots.active, slots.outcome) == ("a", "")


@pytest.mark.parametrize(("cause", "active"), [(DEEP_SLEEP, "a"), (3, "b")])
def test_a_board_that_wakes_from_deep_sleep_looks_at_nothing(root, machine, cause, active):
    machine.cause = cause
    rot(root / "a" / "device" / "main.mpy")

    assert prepared(root).active == active
