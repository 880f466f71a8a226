"""Errands: rare work that has the ledger to itself, between two batches."""

import asyncio

import pytest

from gateway.errors import BusyError, StoreFailedError, StoreFullError
from gateway.ledger.batch import Kept, Submission
from gateway.ledger.log import Draft
from tests.gateway.desk import LIMIT_S, Desk


def note_of(text: bytes):
    return lambda transaction: ([Submission(Draft("note", "me", text))], "done")


async def test_an_errand_has_the_ledger_to_itself_between_two_batches():
    desk = Desk()

    errand = desk.sequencer.run(lambda writer: writer.commit_with(note_of(b"x"), {})[1])
    async with asyncio.timeout(LIMIT_S):
        answers = await asyncio.gather(errand, *desk.submit(0))

    assert answers == ["done", Kept(1, repeat=False)]
    await desk.stop()


async def test_an_errand_that_is_refused_hears_why_and_the_writer_goes_on():
    desk = Desk()
    desk.gateway.store.fail_with = StoreFullError("full")

    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(StoreFullError):
            await desk.sequencer.run(lambda writer: writer.commit_with(note_of(b"x"), {}))
        (answer,) = await asyncio.gather(*desk.submit(0))

    assert answer == Kept(2, repeat=False)  # after the fault's two entries
    await desk.stop()


async def test_a_mistake_in_an_errand_stops_the_writer_and_whoever_waits_hears_of_it(slow):
    desk, store = slow
    (first,) = desk.submit(1)
    await asyncio.to_thread(store.syncing.acquire)
    wrong = desk.sequencer.run(lambda writer: 1 // 0)
    never = desk.sequencer.run(lambda writer: "never")
    store.let.release(9)

    async with asyncio.timeout(LIMIT_S):
        heard = await asyncio.gather(first, wrong, never, return_exceptions=True)
        await desk.has_failed.wait()

    assert heard[0] == Kept(1, repeat=False)
    assert [type(answer) for answer in heard[1:]] == [StoreFailedError, StoreFailedError]
    assert [type(error) for error in desk.failed] == [ZeroDivisionError]
    with pytest.raises(BusyError):
        desk.sequencer.run(lambda writer: "too late")


async def test_errands_are_bounded_and_done_before_the_end(slow):
    desk, store = slow
    desk.submit(1)
    await asyncio.to_thread(store.syncing.acquire)

    errands = [desk.sequencer.run(lambda writer: writer.size) for _ in range(16)]
    with pytest.raises(BusyError):
        desk.sequencer.run(lambda writer: writer.size)
    store.let.release(9)
    async with asyncio.timeout(LIMIT_S):
        await desk.sequencer.stop()
        sizes = await asyncio.gather(*errands)

    assert sizes == [2] * 16
