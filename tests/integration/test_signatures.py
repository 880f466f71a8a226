"""Signatures checked by real processes: in order, off the loop, and when a process dies."""

import asyncio
import os
import signal
import sys

import pytest

from gateway.errors import BusyError
from gateway.ingest.judge import judge
from gateway.registry import Registry
from gateway.signatures.lane import WORKER, Lane
from gateway.signatures.pool import Pool
from tests.fakes import SigningDevice

pytestmark = pytest.mark.integration

ROOF = SigningDevice("roof")
REGISTRY = Registry([ROOF.known()])
GOOD = b"".join(judge(ROOF.sign(0), REGISTRY, 18).claim)
FORGED = GOOD[:-1] + bytes([GOOD[-1] ^ 1])
LIMIT_S = 20
DIES = [sys.executable, "-c", "pass"]
HANGS = [sys.executable, "-c", "import time; time.sleep(60)"]


class Asking:
    """A lane, and what it has answered."""

    def __init__(self, command=WORKER, **more):
        self.lost = 0
        self.lane = Lane(command, self._died, **more)
        self.heard = []
        self._changed = asyncio.Event()

    def ask(self, *records):
        place = len(self.heard)
        self.heard.append(None)

        def settle(outcome):
            self.heard[place] = outcome
            self._changed.set()

        self.lane.ask(records, settle)

    async def all_heard(self):
        async with asyncio.timeout(LIMIT_S):
            while None in self.heard:
                await self._changed.wait()
                self._changed.clear()
        return self.heard

    @property
    def pid(self):
        return self.lane._process.pid

    def _died(self):
        self.lost += 1


@pytest.fixture
async def asking():
    made = []

    def make(*arguments, **more):
        made.append(Asking(*arguments, **more))
        return made[-1]

    yield make
    for one in made:
        one.lane.close()


async def test_what_was_asked_is_answered_in_order(asking):
    lane = asking()

    for n in range(50):
        lane.ask(*[GOOD, FORGED][: 1 + n % 2])
    lane.ask(*[GOOD, FORGED] * 300)  # 96 KB, more than a socket takes at once

    heard = await lane.all_heard()
    assert heard[:-1] == [[True, False][: 1 + n % 2] for n in range(50)]
    assert heard[-1] == [True, False] * 300


async def test_a_process_that_dies_is_replaced_and_what_it_was_asked_is_answered(asking):
    lane = asking()
    lane.ask(GOOD)
    await lane.all_heard()
    await asyncio.sleep(1.0)  # not sooner is another started
    first = lane.pid

    os.kill(first, signal.SIGSTOP)  # so that it has not answered yet
    lane.ask(FORGED, GOOD)
    os.kill(first, signal.SIGKILL)

    assert (await lane.all_heard())[1] == [False, True]
    assert (lane.lost, lane.pid != first) == (1, True)


async def test_a_process_that_dies_at_once_is_not_started_again_and_again(asking):
    lane = asking(DIES)

    lane.ask(GOOD)
    (heard,) = await lane.all_heard()
    with pytest.raises(BusyError):
        lane.lane.ask([GOOD], print)

    assert isinstance(heard, BusyError)
    assert lane.lost == 1


async def test_a_process_that_does_not_answer_is_given_up(asking):
    lane = asking(HANGS, answer_s=0.1)

    lane.ask(GOOD)
    (heard,) = await lane.all_heard()

    assert isinstance(heard, BusyError)
    assert lane.lost == 1


async def test_a_program_that_is_not_there_is_busy(asking):
    with pytest.raises(BusyError):
        asking(["/nowhere"]).ask(GOOD)


async def test_what_was_asked_is_refused_at_the_end_and_no_process_is_left(asking):
    lane = asking()
    lane.ask(GOOD)
    await lane.all_heard()
    pid = lane.pid
    lane.ask(GOOD)

    lane.lane.close()

    assert isinstance(lane.heard[1], BusyError)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_device_always_takes_the_same_lane():
    pool = Pool(print, lanes=3)
    loop = asyncio.get_running_loop()
    heard = [loop.create_future() for _ in range(3)]

    for lane, future in enumerate(heard):
        pool.check(lane, [GOOD, FORGED], future.set_result)
    async with asyncio.timeout(LIMIT_S):
        answers = await asyncio.gather(*heard)
    pool.close()

    assert answers == [[True, False]] * 3
    assert {pool.lane_of(ROOF.kid) for _ in range(9)} == {ROOF.kid[0] % 3}
