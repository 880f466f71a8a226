import pytest

from gateway.ledger.batch import Submission
from gateway.ledger.budget import Budget
from gateway.ledger.log import Draft
from gateway.space import Space
from gateway.store import PAGE_BYTES
from tests.fakes import FakeGateway

DAY_S = 86_400


def space_of(gateway, budget=None, free: int = 10**6) -> Space:
    return Space(gateway.store, budget, gateway.metrics, disk_free_bytes=lambda: free)


def gauge(gateway, name: str, **labels: str) -> float:
    return gateway.metrics.registry.get_sample_value(name, labels)


async def test_room_is_what_the_disk_has_where_there_is_no_budget():
    gateway = FakeGateway()
    space = space_of(gateway)

    await space.look(0, 0)

    assert space.room_bytes == 10**6


async def test_room_is_what_the_budget_leaves_where_the_disk_has_more():
    gateway = FakeGateway()
    gateway.commit(Submission(Draft("note", "me", bytes(5 * PAGE_BYTES))))
    space = space_of(gateway, Budget(100, 0, 0, 0))

    await space.look(0, 1)

    assert space.room_bytes == 100 * PAGE_BYTES - gateway.store.sizes().used_bytes


async def test_a_ledger_over_its_budget_has_no_room_and_not_less():
    gateway = FakeGateway()
    gateway.commit(Submission(Draft("note", "me", bytes(5 * PAGE_BYTES))))
    space = space_of(gateway, Budget(1, 0, 0, 0))

    await space.look(0, 1)

    assert space.room_bytes == 0


async def test_days_left_are_measured_and_shown():
    gateway = FakeGateway()
    space = space_of(gateway, free=10 * PAGE_BYTES)
    await space.look(0, 0)
    unknown = gauge(gateway, "tallystick_days_left")

    gateway.commit(Submission(Draft("note", "me", bytes(2 * PAGE_BYTES - 100))))
    await space.look(DAY_S, 1)

    assert unknown == float("inf")
    assert space.status()["bytes_per_day"] == 2 * PAGE_BYTES
    assert space.status()["days_left"] == gauge(gateway, "tallystick_days_left") == 5
    assert gauge(gateway, "tallystick_ledger_bytes", part="used") == 2 * PAGE_BYTES


async def test_what_a_prune_freed_does_not_hide_what_comes_in():
    gateway = FakeGateway()
    space = space_of(gateway)
    await space.look(0, 0)

    gateway.commit(Submission(Draft("note", "me", bytes(2 * PAGE_BYTES - 100))))
    space.freed(PAGE_BYTES)
    await space.look(DAY_S, 1)

    assert space.status()["bytes_per_day"] == 3 * PAGE_BYTES


@pytest.mark.parametrize("count", [0, 3])
async def test_bodies_begin_where_the_first_one_is(count):
    gateway = FakeGateway()
    gateway.commit(*[Submission(Draft("enrolled", "me", b"x"))] * count)
    space = space_of(gateway)

    await space.look(0, count)
    without = space.status()["bodies_from"]
    gateway.fill(2)
    await space.look(1, count + 2)

    assert without == space.status()["bodies_from"] == count
