"""What is on trial sleeps through an outage, and is not kept for ever without an answer."""

import sys

import pytest

from device import slots, standing
from tests.device.sleeper import MINUTE_MS, Device


async def test_a_trial_that_slept_without_an_answer_is_no_failed_start(tmp_path):
    device = Device(tmp_path, trial_ms=5 * MINUTE_MS)
    device.told, device.reachable = True, False
    tried = standing.Standing()
    tried.trial, tried.known = 7, 7
    starts = []
    for _ in range(7):
        tried.starts += 1  # as `device.remote` counts it
        standing.save(device.board, str(tmp_path), tried)
        await device.wake()
        tried = standing.load(str(tmp_path))
        starts.append(tried.starts)

    assert starts == [0, 0, 0, 0, 1, 2, 3]


async def test_a_trial_that_hears_a_receipt_in_a_wake_is_confirmed(tmp_path):
    device = Device(tmp_path)
    device.told = True
    tried = standing.Standing()
    tried.trial, tried.known, tried.starts = 7, 7, 1
    standing.save(device.board, str(tmp_path), tried)

    await device.wake()

    after = standing.load(str(tmp_path))
    assert (after.runs, after.trial) == (7, 0)
    assert len(device.keeper.order) == 2  # the reading, and what the trial came to


@pytest.fixture
def selector(tmp_path):
    """The boot selector of a board whose release 1.1.0 is on trial, where the agent finds it."""
    slots.running = slots.Slots(str(tmp_path) + "/", str(tmp_path))
    slots.running.want("1.1.0")
    slots.running.try_out(7)
    sys.modules["slots"] = slots
    yield slots
    del sys.modules["slots"]
    slots.running = None


async def test_an_update_on_trial_sleeps_through_an_outage_and_is_confirmed_after_it(
    selector, tmp_path
):
    device = Device(tmp_path)
    device.reachable = False
    for _ in range(9):
        assert selector.running.choose() == "b"
        await device.wake()
    device.reachable = True

    assert selector.running.choose() == "b"
    await device.wake()

    assert (selector.running.active, selector.running.trial) == ("b", "")
    values = [reading.value for reading in device.keeper.readings()]
    assert values.count("1.1.0 ok") == 1


async def test_an_update_on_trial_that_never_hears_anything_ends_all_the_same(selector, tmp_path):
    device = Device(tmp_path)
    device.reachable = False
    wakes = 0

    while selector.running.choose() == "b":
        await device.wake()
        wakes += 1

    assert wakes * MINUTE_MS == 31 * MINUTE_MS
    assert selector.running.outcome.startswith("1.1.0 rolled back")


async def test_an_update_on_trial_that_fails_twice_before_it_sleeps_is_rolled_back(
    selector, tmp_path
):
    device = Device(tmp_path)
    for _ in range(2):
        assert selector.running.choose() == "b"
        await device.wake(cut_after_ms=10)

    assert selector.running.choose() == "a"
