"""The only writer, on a running loop: gathers, answers, refuses, ends in order."""

import asyncio

import pytest

from gateway.errors import BusyError, ConflictError, StoreFailedError, StoreFullError
from gateway.ledger.batch import Kept
from protocol.checkpoint import unverified
from tests.gateway.desk import DEVICE, LIMIT_S, Desk


async def test_a_submission_is_answered_after_its_commit():
    desk = Desk()

    async with asyncio.timeout(LIMIT_S):
        answers = await asyncio.gather(*desk.submit(0, 1, 0))

    assert answers == [Kept(0, False), Kept(1, False), Kept(0, True)]
    await desk.stop()


async def test_what_comes_while_one_batch_commits_is_committed_together(slow):
    desk, store = slow
    first = desk.submit(1)
    await asyncio.to_thread(store.syncing.acquire)

    gathered = desk.submit(2, 3, 4)
    store.let.release(2)
    async with asyncio.timeout(LIMIT_S):
        answers = await asyncio.gather(*first, *gathered)

    assert [kept.index for kept in answers] == [1, 2, 3, 4]
    assert store.commits == 2


async def test_a_batch_has_at_most_max_batch(slow):
    desk, store = slow
    waiting = desk.submit(1)
    await asyncio.to_thread(store.syncing.acquire)

    waiting += desk.submit(2, 3, 4, 5)
    store.let.release(9)
    async with asyncio.timeout(LIMIT_S):
        await asyncio.gather(*waiting)

    assert store.commits == 3


async def test_nothing_is_answered_before_the_sync(slow):
    desk, store = slow
    (waiting,) = desk.submit(1)

    await asyncio.to_thread(store.syncing.acquire)
    done_while_syncing = waiting.done()
    store.let.release()

    assert not done_while_syncing
    assert await waiting == Kept(1, False)


async def test_one_more_than_max_pending_is_refused_and_nothing_was_done(slow):
    desk, store = slow
    waiting = desk.submit(1)
    await asyncio.to_thread(store.syncing.acquire)
    waiting += desk.submit(2, 3, 4, 5)

    with pytest.raises(BusyError):
        desk.submit(6)
    pending = desk.sequencer.pending
    store.let.release(9)
    await asyncio.gather(*waiting)

    assert pending == 4
    assert desk.gateway.writer.size == 6
    assert await desk.submit(6)[0] == Kept(6, False)


async def test_who_has_gone_is_not_answered_and_the_rest_are(slow):
    desk, store = slow
    gone, there = desk.submit(1, 2)

    gone.cancel()
    store.let.release(2)

    assert (await there).index == 2


async def test_who_fails_to_hear_takes_nothing_from_the_others_of_its_batch(slow):
    desk, store = slow
    desk.submit(1)
    await asyncio.to_thread(store.syncing.acquire)

    def fail(outcomes):
        raise RuntimeError("a bug")

    desk.sequencer.submit_all([DEVICE.submission(2)], fail)
    (heard,) = desk.submit(3)
    store.let.release(3)

    async with asyncio.timeout(LIMIT_S):
        assert await heard == Kept(3, False)
    assert desk.failed == []


async def test_stop_commits_what_is_queued_and_signs_it(slow):
    desk, store = slow
    waiting = desk.submit(1, 2, 3)
    desk.sequencer.remember("cursor", b"3")
    store.let.release(9)

    async with asyncio.timeout(LIMIT_S):
        await desk.sequencer.stop()
        answers = await asyncio.gather(*waiting)

    assert [kept.index for kept in answers] == [1, 2, 3]
    assert unverified(desk.gateway.writer.note).size == 4
    assert store.read(lambda r: r.state("cursor")) == b"3"
    with pytest.raises(BusyError):
        desk.submit(9)


async def test_stop_keeps_what_was_to_be_remembered_without_a_batch():
    desk = Desk()
    desk.sequencer.remember("cursor", b"1")

    await desk.stop()

    assert desk.gateway.store.read(lambda r: r.state("cursor")) == b"1"


async def test_what_is_to_be_remembered_outlasts_turns_without_a_batch():
    desk = Desk()
    desk.sequencer.remember("cursor", b"1")

    async with asyncio.timeout(LIMIT_S):
        for _ in range(2):
            await desk.sequencer.run(lambda writer: None)
        await asyncio.gather(*desk.submit(1))

    assert desk.gateway.store.read(lambda r: r.state("cursor")) == b"1"
    await desk.stop()


async def test_a_conflict_is_told_to_the_one_who_caused_it():
    desk = Desk()
    await asyncio.gather(*desk.submit(0))

    outcomes = await asyncio.gather(
        *desk.submit(0, value=99), *desk.submit(1), return_exceptions=True
    )

    assert isinstance(outcomes[0], ConflictError)
    assert outcomes[1].repeat is False
    await desk.stop()


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("error", [StoreFullError("full"), StoreFailedError("I/O error")])
async def test_a_failed_commit_is_told_to_all_and_the_next_one_goes_on(error, kept):
    desk = Desk()
    desk.gateway.store.fail_with, desk.gateway.store.fail_after_keeping = error, kept

    async with asyncio.timeout(LIMIT_S):
        first = await asyncio.gather(*desk.submit(0), return_exceptions=True)
        (again,) = await asyncio.gather(*desk.submit(0))

    assert [type(outcome) for outcome in first] == [type(error)]
    # after the fault's two entries, unless it had been kept before them
    assert again == Kept(0 if kept else 2, repeat=kept)
    assert desk.failed == []
    await desk.stop()


async def test_an_error_of_our_own_stops_the_writer_and_is_reported():
    desk = Desk()
    desk.gateway.store.fail_with = ZeroDivisionError("a bug")

    waiting = desk.submit(0)
    async with asyncio.timeout(LIMIT_S):
        heard = await asyncio.gather(*waiting, return_exceptions=True)
        await desk.has_failed.wait()

    assert [type(answer) for answer in heard] == [StoreFailedError]
    with pytest.raises(BusyError):
        desk.submit(1)
    assert [type(error) for error in desk.failed] == [ZeroDivisionError]
    await desk.sequencer.stop()


async def test_the_feed_hears_of_commits_and_checkpoints():
    desk = Desk(checkpoint_every_entries=1)

    desk.submit(0, 1)
    async with asyncio.timeout(LIMIT_S):
        await desk.feed.past(1)
        await desk.feed.signed_past(1)

    assert (desk.feed.size, desk.feed.signed) == (2, 2)
    await desk.stop()


async def test_a_delay_gathers_but_does_not_outlast_a_stop():
    desk = Desk(durability="balanced", commit_delay_ms=80)
    waiting = desk.submit(0, 1, 2)

    async with asyncio.timeout(LIMIT_S):
        await desk.stop()

    assert [future.result().index for future in waiting] == [0, 1, 2]


async def test_while_the_store_is_full_nothing_is_queued_and_each_one_counts():
    desk = Desk()
    desk.reserve.can_be_taken = False
    desk.gateway.store.fail_with = StoreFullError("full")

    async with asyncio.timeout(LIMIT_S):
        first = await asyncio.gather(*desk.submit(0), return_exceptions=True)
    with pytest.raises(StoreFullError) as refusal:
        desk.submit(1)

    assert [type(outcome) for outcome in first] == [StoreFullError]
    assert refusal.value.retry_after_s == 5
    assert desk.sequencer.pending == 0
    assert desk.watch.status()["refused"] == 2
    await desk.stop()
