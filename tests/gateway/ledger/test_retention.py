"""Which bodies are next to be deleted. Every case asks until it is over, and deletes each step."""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import pytest

from gateway.config import RetentionConfig, RetentionRule
from gateway.ledger import pruning
from gateway.ledger.batch import Submission
from gateway.ledger.budget import Budget
from gateway.ledger.log import Draft
from gateway.ledger.pruning import MAX_ENTRIES
from gateway.ledger.retention import DAY_MS, HOUR_MS, Retention, Situation
from gateway.store import PAGE_BYTES, Selection
from protocol.prune import RETENTION
from tests.fakes import NOW_MS, FakeDevice, FakeGateway

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")
NOW = NOW_MS - NOW_MS % HOUR_MS
TEN = range(10)


@pytest.fixture
def gateway(store):
    """Entries 0 to 9, a day apart, the last one now: shed and cellar in turn."""
    gateway = FakeGateway(store)
    for n in TEN:
        gateway.surroundings.now_ms = NOW - (9 - n) * DAY_MS
        gateway.commit((SHED, CELLAR)[n % 2].submission(n))
    return gateway


def situation(gateway, **known) -> Situation:
    size = gateway.writer.size
    facts = {"now_ms": NOW, "size": size, "forwarded": size, "used_bytes": 0} | known
    return Situation(**facts)


def run(gateway, retention: Retention, **known) -> list[Selection]:
    """The steps taken until it is over."""
    steps = []
    for _ in range(1000):
        now = situation(gateway, **known)
        turn = gateway.store.read(lambda r, now=now: retention.turn(r, now))
        if turn.over:
            return steps
        if turn.step is not None:
            steps.append(turn.step)
            assert pruning.commit(gateway.writer, turn.step, RETENTION) is not None
    raise AssertionError("it never ends")


def left(gateway) -> list[int]:
    entries = gateway.store.read(lambda r: r.entries(0, 10))
    return [entry.index for entry in entries if entry.body is not None]


def rule(keep_days: int, source: str | None = None, kind: str | None = None) -> RetentionRule:
    return RetentionRule(keep_days=keep_days, source=source, kind=kind)


class Case(NamedTuple):
    config: RetentionConfig
    left: list[int]
    known: Mapping[str, object] = MappingProxyType({})


BY_AGE = {
    "nothing is configured": Case(RetentionConfig(), [*TEN]),
    "older than five days": Case(RetentionConfig(keep_days=5), [4, 5, 6, 7, 8, 9]),
    "all are younger": Case(RetentionConfig(keep_days=10), [*TEN]),
    "older than a day": Case(RetentionConfig(keep_days=1), [8, 9]),
    "not what is not forwarded": Case(
        RetentionConfig(keep_days=5), [2, 3, 4, 5, 6, 7, 8, 9], {"forwarded": 2}
    ),
    "unless told otherwise": Case(
        RetentionConfig(keep_days=5, prune_unforwarded=True), [4, 5, 6, 7, 8, 9], {"forwarded": 2}
    ),
    "no age may be judged": Case(RetentionConfig(keep_days=1), [*TEN], {"now_ms": None}),
    "within the hour": Case(
        RetentionConfig(keep_days=5), [4, 5, 6, 7, 8, 9], {"now_ms": NOW + HOUR_MS - 1}
    ),
    "an hour later": Case(RetentionConfig(keep_days=5), [5, 6, 7, 8, 9], {"now_ms": NOW + HOUR_MS}),
    "one device sooner": Case(
        RetentionConfig(keep_days=8, rules=[rule(2, "cellar")]), [2, 4, 6, 7, 8, 9]
    ),
    "one kind": Case(RetentionConfig(rules=[rule(1, kind="pack")]), [8, 9]),
    "a kind that is not there": Case(RetentionConfig(rules=[rule(1, kind="alert")]), [*TEN]),
    "both device and kind": Case(
        RetentionConfig(rules=[rule(1, "shed", "pack"), rule(1, "cellar", "alert")]),
        [1, 3, 5, 7, 8, 9],
    ),
    "before all time": Case(RetentionConfig(keep_days=10**9), [*TEN]),
}


@pytest.mark.parametrize("case", BY_AGE.values(), ids=BY_AGE)
def test_bodies_are_deleted_by_age(gateway, case):
    run(gateway, Retention(case.config, None), **case.known)

    assert left(gateway) == case.left


def test_what_came_in_while_the_clock_was_ahead_keeps_what_is_behind_it():
    """Deleted is from the front only: nothing is taken for old on the word of a wrong clock."""
    gateway = FakeGateway()
    for n, days in enumerate((-9, -8, 3000, -7, -6)):
        gateway.surroundings.now_ms = NOW + days * DAY_MS
        gateway.commit(SHED.submission(n))

    run(gateway, Retention(RetentionConfig(keep_days=1), None))

    assert left(gateway) == [2, 3, 4, 5]  # the fifth is the record of the prune


def test_asking_again_goes_on_where_it_was(gateway):
    retention = Retention(RetentionConfig(keep_days=3), None)
    first = run(gateway, retention, now_ms=NOW - 2 * DAY_MS)

    second = run(gateway, retention)

    assert first == [Selection(0, 4)]
    assert second == [Selection(4, 6)]
    assert run(gateway, retention) == []


def test_a_step_that_was_not_done_comes_again(gateway):
    retention = Retention(RetentionConfig(keep_days=3), None)
    now = situation(gateway)

    turns = [gateway.store.read(lambda r: retention.turn(r, now)) for _ in range(3)]

    assert [turn.step for turn in turns] == [Selection(0, 6)] * 3


def test_many_are_deleted_in_steps_of_a_bounded_number():
    gateway = FakeGateway()
    count = 2 * MAX_ENTRIES + 100
    gateway.surroundings.now_ms = NOW - 2 * DAY_MS
    gateway.commit(*[Submission(Draft("pack", "shed", bytes(90)))] * count)

    steps = run(gateway, Retention(RetentionConfig(keep_days=1), None))

    assert max(step.stop - step.start for step in steps) <= MAX_ENTRIES
    assert steps[0].start == 0
    assert steps[-1].stop >= count
    assert all(one.stop == next_.start for one, next_ in pairwise(steps))


# --- by size --------------------------------------------------------------------------------

SOFT, TARGET = 100 * PAGE_BYTES, 80 * PAGE_BYTES
BUDGET = Budget(file_pages=150, log_bytes=0, soft_bytes=SOFT, target_bytes=TARGET)


@pytest.fixture
def full(store):
    """A ledger of more than SOFT bytes."""
    gateway = FakeGateway(store)
    while store.sizes().used_bytes <= SOFT:
        gateway.commit(*[Submission(Draft("pack", "shed", bytes(130)))] * 200)
    return gateway


def shrink(gateway, retention: Retention, **known) -> list[Selection]:
    steps = []
    while True:
        used_bytes = gateway.store.sizes().used_bytes
        now = situation(gateway, used_bytes=used_bytes, **known)
        turn = gateway.store.read(lambda r, now=now: retention.turn(r, now))
        if turn.over:
            return steps
        if turn.step is not None:
            steps.append(turn.step)
            pruning.commit(gateway.writer, turn.step, RETENTION)


def test_past_the_soft_limit_the_oldest_go_until_the_target_is_reached(full):
    retention = Retention(RetentionConfig(), BUDGET)
    before = full.writer.size

    steps = shrink(full, retention)

    assert steps[0].start == 0
    assert all(one.stop == next_.start for one, next_ in pairwise(steps))
    assert steps[-1].stop < before
    assert TARGET * 0.8 < full.store.sizes().used_bytes <= TARGET
    assert not retention.stuck


def test_up_to_the_soft_limit_nothing_goes(full):
    retention = Retention(RetentionConfig(), BUDGET._replace(soft_bytes=10 * SOFT))

    assert shrink(full, retention) == []


def test_what_is_not_forwarded_stays_and_that_is_told(full):
    retention = Retention(RetentionConfig(), BUDGET)

    steps = shrink(full, retention, forwarded=10)

    assert [step.stop for step in steps] == [10]
    assert retention.stuck


def test_it_goes_on_once_more_is_forwarded(full):
    retention = Retention(RetentionConfig(), BUDGET)
    shrink(full, retention, forwarded=10)

    steps = shrink(full, retention)

    assert steps[0].start == 10
    assert full.store.sizes().used_bytes <= TARGET
    assert not retention.stuck


def test_what_is_not_forwarded_goes_last_and_only_when_told(full):
    retention = Retention(RetentionConfig(prune_unforwarded=True), BUDGET)

    steps = shrink(full, retention, forwarded=10)

    assert steps[0].start == 0
    assert steps[-1].stop > 10
    assert full.store.sizes().used_bytes <= TARGET


def test_a_disk_that_others_fill_has_bodies_deleted_up_to_half_of_the_target(full):
    target = 140 * PAGE_BYTES
    retention = Retention(RetentionConfig(), Budget(250, 0, 200 * PAGE_BYTES, target))
    enough, some = full.store.sizes().used_bytes, 95 * PAGE_BYTES

    kept = shrink(full, retention, cap_bytes=enough)
    steps = shrink(full, retention, cap_bytes=some)
    after = full.store.sizes().used_bytes
    shrink(full, retention, cap_bytes=0)

    assert kept == []
    assert steps[0].start == 0
    assert target // 2 < after <= some
    assert target // 3 < full.store.sizes().used_bytes <= target // 2
    assert not retention.stuck


def test_without_a_budget_nothing_is_deleted_for_a_full_disk(full):
    retention = Retention(RetentionConfig(keep_days=3000), None)

    assert shrink(full, retention, cap_bytes=0) == []


def test_a_full_disk_does_not_change_what_has_to_be_forwarded_first(full):
    retention = Retention(RetentionConfig(), BUDGET._replace(soft_bytes=10 * SOFT))

    steps = shrink(full, retention, cap_bytes=0, forwarded=10)

    assert [step.stop for step in steps] == [10]
    assert not retention.stuck


def test_where_nothing_but_leaves_is_left_it_says_so(full):
    retention = Retention(RetentionConfig(), BUDGET._replace(soft_bytes=1, target_bytes=1))

    shrink(full, retention)

    assert retention.stuck
    bodies = full.store.read(lambda r: r.bodies(Selection(0, 1 << 40), 9))
    assert bodies == []


def test_size_does_not_wait_for_a_clock(full):
    retention = Retention(RetentionConfig(keep_days=1), BUDGET)

    assert shrink(full, retention, now_ms=None) != []


def test_both_rules_work_side_by_side(full):
    retention = Retention(RetentionConfig(keep_days=1), BUDGET)

    shrink(full, retention, now_ms=NOW_MS + 2 * DAY_MS)

    assert full.store.read(lambda r: r.bodies(Selection(0, 1 << 40), 9)) == []
