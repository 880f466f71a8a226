import asyncio
from itertools import pairwise

import pytest

from device.clock import Clock
from device.supervisor import WATCHDOG_MS, StuckError, Supervisor
from tests.device.board import FakeBoard

LIMIT_MS = 60_000


class Rig:
    """A supervisor over parts that tick every `every_ms` until `rig.stopped` has their name."""

    def __init__(self):
        self.board = FakeBoard()
        self.events = []
        self.stopped = set()
        self.supervisor = Supervisor(self.board, Clock(self.board), self._report)

    def _report(self, event, **fields):
        self.events.append((event, fields))

    def start(self, name, *, every_ms=1000, last=False, fails=None):
        async def run(tick):
            while name not in self.stopped:
                tick()
                await self.board.sleep_ms(every_ms)
            if fails is not None:
                raise fails

        self.supervisor.start(name, LIMIT_MS, run, last=last)

    async def run_for(self, duration_ms, *, watchdog=True):
        running = asyncio.create_task(self.supervisor.run(watchdog=watchdog))
        await self.board.advance(duration_ms)
        return running


async def ended(running):
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_watchdog_is_fed_while_every_part_ticks():
    rig = Rig()
    rig.start("sampler")
    rig.start("uplink", every_ms=LIMIT_MS // 2)

    running = await rig.run_for(10 * LIMIT_MS)

    gaps = [later - earlier for earlier, later in pairwise(rig.board.fed_ms)]
    assert max(gaps) < WATCHDOG_MS / 2
    assert rig.board.fed_ms[-1] > rig.board.now_ms - WATCHDOG_MS
    await ended(running)


async def test_a_part_that_is_silent_too_long_is_told_once_and_the_watchdog_goes_hungry():
    rig = Rig()
    rig.start("sampler")
    rig.start("uplink", every_ms=100 * LIMIT_MS)

    running = await rig.run_for(3 * LIMIT_MS)

    assert [fields["part"] for event, fields in rig.events] == ["uplink"]
    assert rig.board.fed_ms[-1] <= 1000 + LIMIT_MS + WATCHDOG_MS
    await ended(running)


async def test_where_there_is_no_watchdog_a_silent_part_ends_the_device():
    rig = Rig()
    rig.start("uplink", every_ms=100 * LIMIT_MS)

    running = await rig.run_for(3 * LIMIT_MS, watchdog=False)

    with pytest.raises(StuckError, match="uplink"):
        await running


async def test_the_first_part_that_fails_ends_the_others_and_is_what_is_raised():
    rig = Rig()
    rig.start("sampler", fails=ValueError("broken"))
    rig.start("uplink", last=True)
    running = await rig.run_for(1000)

    rig.stopped.add("sampler")
    await rig.board.advance(5000)

    with pytest.raises(ValueError, match="broken"):
        await running


async def test_it_ends_with_the_last_part_however_many_are_left():
    rig = Rig()
    rig.start("link")
    rig.start("uplink", last=True)
    running = await rig.run_for(1000)

    rig.stopped.add("uplink")
    await rig.board.advance(5000)

    assert running.done()
    assert running.result() is None


async def test_a_part_that_is_done_owes_no_ticks():
    rig = Rig()
    rig.start("sampler")
    rig.start("uplink", last=True)
    rig.stopped.add("sampler")

    running = await rig.run_for(3 * LIMIT_MS)

    assert rig.events == []
    await ended(running)
