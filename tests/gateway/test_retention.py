"""Retention at work, over a real writer: what is deleted when, and what is said of it."""

import pytest

from gateway.config import RetentionConfig
from gateway.errors import StoreFullError
from gateway.ledger.batch import Submission
from gateway.ledger.budget import Budget
from gateway.ledger.log import Draft
from gateway.retention import CLOCK
from gateway.store import PAGE_BYTES
from tests.fakes import NOW_MS, FakeGateway
from tests.gateway.caretaking import Caretaking
from tests.gateway.resourceful import put

A_WEEK = RetentionConfig(keep_days=7)


async def with_packs(count: int, **known) -> Caretaking:
    """`count` packs, received at NOW_MS."""
    desk = Caretaking(**known)
    for answer in desk.submit(*range(count)):
        await answer
    await desk.tick()
    return desk


async def test_nothing_is_deleted_before_its_time_and_everything_after():
    desk = await with_packs(10, config=A_WEEK)

    for days in (3, 3.9):
        await desk.tick(days=days)
    before = desk.left()
    await desk.tick(days=0.2)

    assert before == list(range(10))
    assert desk.left() == []
    assert desk.worker.status()["last_prune"]["count"] == 10
    await desk.stop()


async def test_a_clock_that_jumps_ahead_deletes_nothing_for_a_day():
    desk = await with_packs(10, config=A_WEEK)

    await desk.tick(days=0.01, wall_days=3650)
    resting = desk.worker.status()["resting_s"]
    await desk.tick(days=0.9)
    before = desk.left()
    await desk.tick(days=0.11)

    assert resting == 24 * 3600
    assert before == list(range(10))
    assert desk.left() == []
    await desk.stop()


async def test_a_clock_that_was_corrected_within_the_day_has_deleted_nothing():
    desk = await with_packs(10, config=A_WEEK)

    await desk.tick(days=0.01, wall_days=3650)
    await desk.tick(days=0.1, wall_days=-3650)
    for _ in range(5):
        await desk.tick(days=1)

    assert desk.left() == list(range(10))
    await desk.stop()


async def test_a_clock_that_is_not_trusted_deletes_nothing():
    desk = await with_packs(10, config=A_WEEK)

    await desk.tick(days=6)
    desk.time_ms = 0
    await desk.worker.tick(desk.monotonic_s + 86_400 * 30)

    assert desk.left() == list(range(10))
    await desk.stop()


async def test_a_restart_goes_on_resting():
    desk = await with_packs(10, config=A_WEEK)
    await desk.tick(days=0.01, wall_days=3650)
    for answer in desk.submit(99):  # what is remembered goes with the next transaction
        await answer

    held = desk.store.read(lambda r: r.state(CLOCK))
    desk.worker = desk.new_worker()
    await desk.tick(days=0.01)

    assert held.endswith(b" %d" % (24 * 3_600_000))
    assert 0 not in [desk.worker.status()["resting_s"]]
    assert len(desk.left()) == 11
    await desk.stop()


async def test_what_the_upstream_does_not_have_is_not_deleted():
    desk = await with_packs(10, config=A_WEEK)

    desk.forwarded = 4
    await desk.tick(days=8)
    first = desk.left()
    desk.forwarded = 10
    await desk.tick()

    assert first == list(range(4, 10))
    assert desk.left() == []
    await desk.stop()


def budget(soft_bytes: int, target_bytes: int) -> Budget:
    return Budget(10**6, 10**9, soft_bytes, target_bytes)


async def test_past_the_budget_the_oldest_go_until_the_target_is_reached(store):
    FakeGateway(store).commit(*[Submission(Draft("note", "me", bytes(900)))] * 600)
    full = store.sizes().used_bytes
    desk = Caretaking(store, budget=budget(full * 9 // 10, full * 8 // 10))

    await desk.tick()

    assert full * 0.7 < store.sizes().used_bytes <= full * 0.8
    assert 0 < len(desk.left()) < 600
    assert desk.left()[-1] == 599
    assert desk.worker.faults() == []
    await desk.stop()


async def test_where_nothing_may_be_deleted_that_is_a_fault():
    desk = Caretaking(budget=budget(1, 1))
    desk.forwarded = 0
    for answer in desk.submit(*range(50)):
        await answer

    await desk.tick()

    assert len(desk.left()) == 50
    assert desk.worker.faults() == [
        "the ledger nears retention.max_bytes, and no body is left that may be deleted"
    ]
    await desk.stop()


async def test_a_prune_that_fails_is_told_and_done_with_the_next_tick():
    desk = await with_packs(10, config=A_WEEK)
    desk.store.fail_with = StoreFullError("no space left")

    with pytest.raises(StoreFullError):
        await desk.tick(days=8)
    failed = desk.left()
    await desk.tick()

    assert failed == list(range(10))
    assert desk.left() == []
    await desk.stop()


async def test_what_comes_in_between_two_steps_is_committed():
    desk = await with_packs(10, config=A_WEEK)
    desk.time_ms += 8 * 86_400_000
    desk.monotonic_s += 8 * 86_400

    (during,) = desk.submit(100)
    await desk.tick()

    assert (await during).repeat is False
    await desk.stop()


async def test_status_says_how_much_there_is_and_how_long_it_will_do():
    desk = await with_packs(10, budget=budget(10**9, 10**9))

    await desk.tick(days=1)
    for answer in desk.submit(*range(100, 200)):
        await answer
    await desk.tick(days=1)
    status = desk.worker.status()

    assert status["bytes_per_day"] > 0
    assert status["days_left"] == status["room_bytes"] / status["bytes_per_day"]
    assert status["used_bytes"] == desk.store.sizes().used_bytes
    assert (status["bodies_from"], status["last_prune"]) == (0, None)
    await desk.stop()


async def test_status_says_where_bodies_begin_once_some_are_gone():
    desk = await with_packs(10, config=A_WEEK)
    await desk.tick(days=4)
    desk.gateway.surroundings.now_ms = NOW_MS + 4 * 86_400_000
    for answer in desk.submit(50, 51):
        await answer

    await desk.tick(days=4)

    assert desk.worker.status()["bodies_from"] == 10
    assert desk.worker.status()["last_prune"]["recorded_at"] == 12
    await desk.stop()


async def test_what_the_disk_lacks_is_deleted_and_given_back(store):
    """Each second anew: a second is not enough to see on the disk what the last one gave back."""
    pages = 400
    budget = Budget(10 * pages, 0, 9 * pages * PAGE_BYTES, 2 * pages * PAGE_BYTES)
    desk = Caretaking(store, budget=budget)
    while store.sizes().used_bytes < 3 * pages * PAGE_BYTES:
        desk.gateway.commit(*[Submission(Draft("alert", "shed", bytes(500)))] * 100)
    await desk.tick()
    before = store.sizes()

    desk.wanted_bytes = pages * PAGE_BYTES
    await desk.tick()
    after = store.sizes()

    assert before.used_bytes - after.used_bytes >= pages * PAGE_BYTES
    assert after.file_bytes - after.used_bytes < 10 * PAGE_BYTES
    await desk.stop()


async def test_what_resources_consisted_of_is_deleted_after_it_was_superseded():
    desk = await with_packs(1, config=A_WEEK)
    await desk.sequencer.submit(put("home/lamp", b"on"))
    await desk.tick(days=5)
    await desk.tick(days=3)
    before = desk.left()

    changed = await desk.sequencer.submit(put("home/lamp", b"off"))
    desk.worker.superseded(desk.gateway.writer.size)
    desk.worker.superseded(changed.superseded)
    await desk.tick(days=0.05)

    assert before == [1]
    assert desk.left() == [changed.index]
    await desk.stop()
