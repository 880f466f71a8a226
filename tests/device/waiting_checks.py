"""Checks of how a board waits for an event, inside MicroPython; see checks.py."""

import asyncio
import sys
import time

from device.board.firmware import Firmware
from tests.device.checks import run

_SHORT_MS, _LONG_MS = 5, 60_000


def check_what_is_set_already_is_not_waited_for(folder):
    async def wait():
        event = asyncio.Event()
        event.set()
        return await Firmware().wait(event, _LONG_MS)

    assert asyncio.run(wait())


def check_what_is_not_set_in_time_is_false_and_may_be_waited_for_again(folder):
    async def wait():
        event = asyncio.Event()
        board = Firmware()
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
        event = asyncio.Event()

        async def set_it():
            await asyncio.sleep_ms(_SHORT_MS)
            event.set()
            event.clear()  # it was set, whoever looks later

        setter = asyncio.create_task(set_it())
        found = await Firmware().wait(event, _LONG_MS)
        await setter
        return found

    started = time.ticks_ms()

    assert asyncio.run(wait())

    assert time.ticks_diff(time.ticks_ms(), started) < _LONG_MS


def check_a_part_that_waits_can_be_ended_and_leaves_the_event_as_it_was(folder):
    async def wait():
        event = asyncio.Event()
        waiting = event.waiting
        part = asyncio.create_task(Firmware().wait(event, _LONG_MS))
        await asyncio.sleep_ms(_SHORT_MS)
        part.cancel()
        try:
            await part
        except asyncio.CancelledError:
            return event.waiting is waiting
        return False

    assert asyncio.run(wait())


if __name__ == "__main__":
    run(globals(), sys.argv[1])
