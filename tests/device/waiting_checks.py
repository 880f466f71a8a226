"""Checks of how a board waits for an event, inside MicroPython; see checks.py."""

import asyncio
import sys
import time

from device.board.firmware import Firmware
from tests.device.checks import run

_SHORT_MS, _LONG_MS = 5, 60_000


def check_what_is_set_already_is_not_waited_for(folder):
    async def wait():
        board = Firmware()
        event = board.event()
        event.set()
        return await board.wait(event, _LONG_MS)

    assert asyncio.run(wait())


def check_what_is_not_set_in_time_is_false_and_may_be_waited_for_again(folder):
    async def wait():
        board = Firmware()
        event = board.event()
        started = time.ticks_ms()
        found = [await board.wait(event, _SHORT_MS)]
        lasted_ms = time.ticks_diff(time.ticks_ms(), started)
        event.set()
        found.append(await board.wait(event, _SHORT_MS))
        return found, lasted_ms

    found, lasted_ms = asyncio.run(wait())

    assert found == [False, True]
    assert lasted_ms >= _SHORT_MS


def check_whoever_waits_goes_on_at_once_when_it_is_set(folder):
    async def wait():
        board = Firmware()
        event = board.event()

        async def set_it():
            await asyncio.sleep_ms(_SHORT_MS)
            event.set()
            event.clear()  # it was set, whoever looks later

        setter = asyncio.create_task(set_it())
        found = await board.wait(event, _LONG_MS)
        await setter
        return found

    started = time.ticks_ms()

    assert asyncio.run(wait())

    assert time.ticks_diff(time.ticks_ms(), started) < _LONG_MS


def check_all_who_wait_go_on_when_it_is_set(folder):
    async def wait():
        board = Firmware()
        event = board.event()
        waiting = [asyncio.create_task(board.wait(event, _LONG_MS)) for _ in range(3)]
        await asyncio.sleep_ms(_SHORT_MS)
        event.set()
        for one in waiting:
            assert await one

    asyncio.run(wait())


def check_a_part_that_waits_can_be_ended_and_leaves_the_event_as_it_was(folder):
    async def wait():
        board = Firmware()
        event = board.event()
        part = asyncio.create_task(board.wait(event, _LONG_MS))
        await asyncio.sleep_ms(_SHORT_MS)
        part.cancel()
        try:
            await part
        except asyncio.CancelledError:
            event.set()  # nobody is there to be woken
            return await board.wait(event, _LONG_MS)
        return False

    assert asyncio.run(wait())


if __name__ == "__main__":
    run(globals(), sys.argv[1])
