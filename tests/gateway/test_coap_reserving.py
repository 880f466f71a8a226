"""Numbers are reserved in a file before they are used; a real file, a clock set by hand."""

import asyncio
from random import Random

import pytest

from gateway.coap.own_numbers import CHUNK, FIRST_CHUNK, PER_SECOND, by_clock
from gateway.coap.reserving import Clock, Reserving
from gateway.errors import BusyError, StoreFailedError
from gateway.store.number_file import NumberFile
from protocol.oscore_parts import MAX_NUMBER
from tests.fakes import NOW_MS


class Time:
    """Goes on by itself with each look, so that no number has to wait; `unix_ms` may be set."""

    def __init__(self, unix_ms: int = NOW_MS, step_ms: int = 1) -> None:
        self.unix_ms = unix_ms
        self.now_ms = 0
        self.step_ms = step_ms

    def monotonic(self) -> int:
        self.pass_ms(self.step_ms)
        return self.now_ms

    def pass_ms(self, ms: int) -> None:
        self.now_ms += ms
        self.unix_ms += ms


class Reserved:
    """What one start has."""

    def __init__(self, path, time=None, *, newest_ms=0, failing: bool = False) -> None:
        self.file = FailingFile(path)
        self.file.fails = failing
        time = time or Time()
        clock = Clock(lambda: time.unix_ms, time.monotonic, newest_ms)
        self.reserving = Reserving(self.file, clock)
        self.numbers = self.reserving.open()

    def take(self, count: int) -> list[int]:
        """As many of `count` as are there and have come."""
        taken = []
        for _ in range(count):
            try:
                taken.append(self.numbers.take())
            except BusyError:
                break
        return taken


class FailingFile(NumberFile):
    def __init__(self, path) -> None:
        super().__init__(path)
        self.fails = False

    def reserve(self, stop: int) -> None:
        if self.fails:
            raise StoreFailedError("oscore.numbers: no space left")
        super().reserve(stop)


async def refilled(start: Reserved, left: int) -> None:
    """Waits until more than `left` numbers are there."""
    async with asyncio.timeout(10):
        while start.numbers.left <= left:  # noqa: ASYNC110  # nothing else tells
            await asyncio.sleep(0)


async def test_numbers_go_on_as_long_as_they_are_taken(tmp_path):
    start = Reserved(tmp_path / "numbers")
    running = asyncio.create_task(start.reserving.run())

    taken = []
    for _ in range(3 * CHUNK):
        await refilled(start, 0)
        taken.append(start.numbers.take())
    running.cancel()

    first = by_clock(NOW_MS, 0)
    assert taken == list(range(first, first + 3 * CHUNK))
    assert NumberFile(tmp_path / "numbers").read() >= taken[-1] + 1


async def test_a_number_that_is_there_was_reserved_before(tmp_path):
    start = Reserved(tmp_path / "numbers")
    start.file.fails = True

    left = start.numbers.left
    for _ in range(left):
        last = start.numbers.take()

    assert left == FIRST_CHUNK
    assert NumberFile(tmp_path / "numbers").read() == last + 1
    with pytest.raises(BusyError):
        start.numbers.take()


async def test_a_file_that_cannot_be_written_is_tried_again(tmp_path):
    start = Reserved(tmp_path / "missing" / "numbers")
    assert start.numbers.left == 0
    (tmp_path / "missing").mkdir()

    running = asyncio.create_task(start.reserving.run())
    await refilled(start, 0)
    running.cancel()

    assert by_clock(NOW_MS, 0) <= start.numbers.take() < by_clock(NOW_MS, 0) + 100


def test_a_start_right_after_another_waits_for_its_time_and_reserves_nothing(tmp_path):
    time = Time(step_ms=0)
    Reserved(tmp_path / "numbers", time)
    stored = NumberFile(tmp_path / "numbers").read()

    soon = [Reserved(tmp_path / "numbers", time).numbers.left for _ in range(3)]
    same = NumberFile(tmp_path / "numbers").read()
    time.pass_ms(1000)

    assert (soon, same) == ([0, 0, 0], stored)
    assert Reserved(tmp_path / "numbers", time).numbers.left == FIRST_CHUNK


async def test_without_a_file_and_without_a_clock_no_number_is_free(tmp_path):
    start = Reserved(tmp_path / "numbers", Time(0))

    assert start.numbers.left == 0
    assert not (tmp_path / "numbers").exists()


async def test_without_a_clock_the_file_is_enough(tmp_path):
    NumberFile(tmp_path / "numbers").reserve(77)
    start = Reserved(tmp_path / "numbers", Time(0))

    assert start.numbers.take() == 77


async def test_when_all_are_used_up_none_is_given(tmp_path):
    NumberFile(tmp_path / "numbers").reserve(MAX_NUMBER - FIRST_CHUNK + 1)
    start = Reserved(tmp_path / "numbers")

    assert start.numbers.left == 0


@pytest.mark.parametrize("seed", range(20))
async def test_over_any_crashes_no_number_comes_twice(tmp_path, seed):
    """Each start takes some and is gone; now and then the file fails, or the clock is unset."""
    dice, used = Random(seed), []
    for n in range(20):
        time = Time(0 if used and dice.random() < 0.3 else NOW_MS + 2000 * n)
        start = Reserved(tmp_path / "numbers", time, failing=dice.random() < 0.2)
        running = asyncio.create_task(start.reserving.run())
        for _ in range(dice.choice([0, 1, 10, CHUNK // 2 + 5])):
            used += start.take(1)
            await asyncio.sleep(0)
        running.cancel()

    assert len(set(used)) == len(used) > 0


async def flood(start: Reserved) -> list[int]:
    """All numbers whose time has come, as whoever sends old requests makes the gateway use them."""
    taken = []
    while start.numbers.left and len(taken) < 10 * CHUNK:
        taken += start.take(1 << 20)
        if start.numbers.left:
            break
        await refilled(start, 0)
    return taken


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_copy_is_put_back_no_number_comes_twice(tmp_path, seed):
    """An older file, or none, as after a restore, as often as one likes; the clock goes on."""
    dice, used = Random(seed), []
    path, time = tmp_path / "numbers", Time(step_ms=0)
    copies = [b"damaged"]
    for _ in range(30):
        put_back = dice.choice([None, None, *copies])
        if put_back is not None:
            path.write_bytes(put_back)
        start = Reserved(path, time)
        running = asyncio.create_task(start.reserving.run())
        for _ in range(dice.choice([1, 3])):
            time.pass_ms(dice.choice([0, 1, 3, 300, 2000]))
            used += await flood(start)
        running.cancel()
        copies.append(path.read_bytes())

    assert len(set(used)) == len(used) > 0


def test_no_more_are_given_than_time_has_passed(tmp_path):
    time = Time(step_ms=0)
    start = Reserved(tmp_path / "numbers", time)

    at_once = start.take(10)
    time.pass_ms(10)
    later = start.take(1000)

    assert (at_once, len(later)) == ([], PER_SECOND // 100)


def test_without_a_file_a_clock_that_was_set_back_gives_none_until_it_is_right(tmp_path):
    time = Time(NOW_MS - 1)
    set_back = Reserved(tmp_path / "numbers", time, newest_ms=NOW_MS)

    before = set_back.numbers.left
    time.unix_ms = NOW_MS
    right = Reserved(tmp_path / "numbers", time, newest_ms=NOW_MS)

    assert before == 0
    assert right.take(1) == [by_clock(NOW_MS, 0)]


def test_with_the_file_a_clock_that_was_set_back_changes_nothing(tmp_path):
    time = Time()
    used = Reserved(tmp_path / "numbers", time).take(FIRST_CHUNK)
    time.unix_ms -= 86_400_000

    used += Reserved(tmp_path / "numbers", time).take(FIRST_CHUNK)

    assert len(set(used)) == len(used) == 2 * FIRST_CHUNK


def test_a_clock_that_was_years_ahead_for_one_start_stops_nothing(tmp_path):
    ahead, right = Time(NOW_MS + 10**11), Time()
    used = Reserved(tmp_path / "numbers", ahead).take(FIRST_CHUNK)

    used += Reserved(tmp_path / "numbers", right).take(FIRST_CHUNK)

    assert len(set(used)) == len(used) == 2 * FIRST_CHUNK
