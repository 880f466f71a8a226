"""Numbers are reserved in a file before they are used; a real file, a clock set by hand."""

import asyncio
from random import Random

import pytest

from gateway.coap.own_numbers import CHUNK, first_free
from gateway.coap.reserving import Reserving
from gateway.errors import BusyError, StoreFailedError
from gateway.store.number_file import NumberFile
from protocol.oscore import MAX_NUMBER
from tests.fakes import NOW_MS


class Reserved:
    """What one start has; `unset`: its clock says 1970."""

    def __init__(self, path, *, unset: bool = False, failing: bool = False) -> None:
        self.file = FailingFile(path)
        self.file.fails = failing
        self.reserving = Reserving(self.file, lambda: 0 if unset else NOW_MS)
        self.numbers = self.reserving.open()


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

    first = first_free(None, NOW_MS)
    assert taken == list(range(first, first + 3 * CHUNK))
    assert NumberFile(tmp_path / "numbers").read() >= taken[-1] + 1


async def test_a_number_that_is_there_was_reserved_before(tmp_path):
    start = Reserved(tmp_path / "numbers")
    start.file.fails = True

    left = start.numbers.left
    for _ in range(left):
        last = start.numbers.take()

    assert left == CHUNK
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

    assert start.numbers.take() == first_free(None, NOW_MS)


async def test_without_a_file_and_without_a_clock_no_number_is_free(tmp_path):
    start = Reserved(tmp_path / "numbers", unset=True)

    assert start.numbers.left == 0
    assert not (tmp_path / "numbers").exists()


async def test_without_a_clock_the_file_is_enough(tmp_path):
    NumberFile(tmp_path / "numbers").reserve(77)
    start = Reserved(tmp_path / "numbers", unset=True)

    assert start.numbers.take() == 77


async def test_when_all_are_used_up_none_is_given(tmp_path):
    NumberFile(tmp_path / "numbers").reserve(MAX_NUMBER - CHUNK + 1)
    start = Reserved(tmp_path / "numbers")

    assert start.numbers.left == 0


@pytest.mark.parametrize("seed", range(20))
async def test_over_any_crashes_no_number_comes_twice(tmp_path, seed):
    """Each start takes some and is gone; now and then the file fails, or the clock is unset."""
    dice, used = Random(seed), []
    for _ in range(20):
        unset, failing = bool(used) and dice.random() < 0.3, dice.random() < 0.2
        start = Reserved(tmp_path / "numbers", unset=unset, failing=failing)
        running = asyncio.create_task(start.reserving.run())
        for _ in range(dice.choice([0, 1, 10, CHUNK // 2 + 5])):
            try:
                used.append(start.numbers.take())
            except BusyError:
                await asyncio.sleep(0)
        running.cancel()

    assert len(set(used)) == len(used) > 0
