"""A store that is full or fails: what is done, recorded and told, told as a story in steps."""

import pytest

from gateway.config import DiskConfig
from gateway.errors import StoreFailedError, StoreFullError
from gateway.ledger.trouble import (
    DUE,
    FAILED,
    FULL,
    KEPT,
    OK,
    RECORD,
    RELEASE,
    RESERVE,
    ROOMY,
    TIGHT,
    TRYING,
    Room,
    Trouble,
)
from protocol.fault import STORE_FAILED, STORE_FULL, Fault

CONFIG = DiskConfig(reserve_bytes=100, soft_free_bytes=2000, hard_free_bytes=1000)
ROOM = Room(5000, None, reserved=True)

# what happens, in order -> the state after it, and what is to be done
STORIES = {
    "hard limit": [(TIGHT, FULL, (RECORD,)), (KEPT, FULL, ()), (ROOMY, TRYING, (RESERVE, RECORD)),
                   (KEPT, OK, ())],
    "no space for a write": [(STORE_FULL, FULL, (RELEASE, RECORD)), (STORE_FULL, FULL, (RELEASE,)),
                             (DUE, FULL, (RECORD,)), (KEPT, FULL, ())],
    "full again when tried": [(STORE_FULL, FULL, (RELEASE, RECORD)),
                              (ROOMY, TRYING, (RESERVE, RECORD)), (STORE_FULL, FULL, (RELEASE,))],
    "failed": [(STORE_FAILED, FAILED, ()), (DUE, TRYING, (RECORD,)), (STORE_FAILED, FAILED, ()),
               (DUE, TRYING, (RECORD,)), (KEPT, OK, ())],
    "failed, then full": [(STORE_FAILED, FAILED, ()), (STORE_FULL, FULL, (RELEASE, RECORD))],
    "full, then failed": [(STORE_FULL, FULL, (RELEASE, RECORD)), (STORE_FAILED, FAILED, ())],
    "failed when tried for room": [(TIGHT, FULL, (RECORD,)), (ROOMY, TRYING, (RESERVE, RECORD)),
                                   (STORE_FAILED, FAILED, ())],
    "nothing": [(KEPT, OK, ()), (ROOMY, OK, ()), (DUE, OK, (RECORD,))],
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_each_thing_that_happens_has_its_answer(story):
    trouble = Trouble(CONFIG)

    told = [(event, trouble.happened(event, 0), trouble.state) for event, *_ in story]

    assert [(event, state, actions) for event, actions, state in told] == story


# room -> whether it is too little to go on, and what has to be freed before going on again
ROOMS = {
    "plenty": (ROOM, False, 0),
    "the hard limit": (Room(1000, None, reserved=True), False, 100),
    "below it": (Room(999, None, reserved=True), True, 101),
    "no reserve": (Room(5000, None, reserved=False), True, 0),
    "none": (Room(0, None, reserved=False), True, 1100),
    "the ledger's own limit": (Room(5000, 100, reserved=True), False, 0),
    "past it": (Room(5000, -20, reserved=True), False, 120),
}


@pytest.mark.parametrize(("room", "tight", "wanted"), ROOMS.values(), ids=ROOMS)
def test_room_is_judged_by_the_limits(room, tight, wanted):
    well, full = Trouble(CONFIG), Trouble(CONFIG)
    full.happened(STORE_FULL, 0)

    assert (well.look(room, 0) == TIGHT) == tight
    assert well.wanted_bytes(room) == wanted
    assert (full.look(room, 0) == ROOMY) == (wanted == 0)


def failed(now_s=0.0, event=STORE_FAILED) -> Trouble:
    trouble = Trouble(CONFIG)
    trouble.happened(event, now_s, "disk I/O error")
    return trouble


def test_a_store_is_tried_at_once_and_then_ever_later():
    trouble, tries, now_s = failed(), [], 0.0

    while now_s < 40:
        if trouble.look(ROOM, now_s) == DUE:
            tries.append(now_s)
            trouble.happened(DUE, now_s)
            trouble.happened(STORE_FAILED, now_s)
        now_s += 0.5

    assert tries == [0, 1, 3, 7, 15, 23, 31, 39]


def test_a_store_that_works_again_is_tried_at_once_the_next_time():
    trouble = failed()
    for now_s in (0, 1):
        trouble.happened(DUE, now_s)
        trouble.happened(STORE_FAILED, now_s)
    trouble.happened(DUE, 3)
    trouble.happened(KEPT, 3)

    trouble.happened(STORE_FAILED, 4)

    assert trouble.look(ROOM, 4) == DUE


def recorded(trouble: Trouble, now_s: float, refused: int) -> list[Fault]:
    faults = trouble.due(now_s, refused)
    trouble.recorded(faults, now_s)
    return faults


def test_a_full_store_is_recorded_when_it_begins_and_when_it_is_over():
    trouble = failed(event=STORE_FULL)

    begun, nothing = recorded(trouble, 0, 3), recorded(trouble, 5, 4)
    trouble.happened(ROOMY, 34)
    over, after = recorded(trouble, 34, 12), recorded(trouble, 35, 0)

    assert begun == [Fault(STORE_FULL, "disk I/O error", None)]
    assert nothing == []
    assert over == [Fault(STORE_FULL, "over after 34 s", 12)]
    assert after == []


def test_a_failed_store_is_recorded_with_begin_and_end_once_it_works():
    trouble = failed()
    trouble.happened(DUE, 7)

    assert recorded(trouble, 7, 2) == [
        Fault(STORE_FAILED, "disk I/O error", None),
        Fault(STORE_FAILED, "over after 7 s", 2),
    ]
    assert trouble.happened(KEPT, 7) == ()


def test_a_long_detail_is_cut():
    trouble = Trouble(CONFIG)
    trouble.happened(STORE_FULL, 0, "x" * 1000)

    assert [len(fault.detail) for fault in trouble.due(0, 0)] == [500]


def test_no_more_than_one_pair_is_recorded_in_a_minute_and_nothing_is_left_out():
    trouble, pairs, refused = Trouble(CONFIG), [], 0

    for now_s in range(200):
        trouble.happened(STORE_FAILED, now_s, "flapping")
        refused += 1
        trouble.happened(DUE, now_s)
        due = recorded(trouble, now_s, refused)
        trouble.happened(KEPT, now_s)
        if due:
            pairs.append((now_s, [fault.refused for fault in due]))
            refused = 0

    assert pairs == [(0, [None, 1]), (60, [None, 60]), (120, [None, 60]), (180, [None, 60])]


def test_what_was_too_soon_to_record_is_recorded_when_the_minute_is_over():
    trouble = failed()
    for now_s in (0, 10):
        trouble.happened(STORE_FAILED, now_s, "again")
        trouble.happened(DUE, now_s)
        recorded(trouble, now_s, 1)
        trouble.happened(KEPT, now_s)

    assert [trouble.look(ROOM, now_s) for now_s in (11, 59, 60)] == [None, None, DUE]
    assert trouble.state == OK
    assert recorded(trouble, 60, 1) == [
        Fault(STORE_FAILED, "again", None),
        Fault(STORE_FAILED, "over after 50 s", 1),
    ]
    assert trouble.look(ROOM, 61) is None


def test_a_full_store_that_could_not_be_recorded_is_tried_to_be_again():
    trouble = failed(event=STORE_FULL)
    trouble.happened(STORE_FULL, 0)
    little = ROOM._replace(free_bytes=500)

    assert [trouble.look(little, now_s) for now_s in (0, 0.9, 1)] == [None, None, DUE]


@pytest.mark.parametrize(("event", "error"), [(STORE_FULL, StoreFullError),
                                              (STORE_FAILED, StoreFailedError)])  # fmt: skip
def test_a_refusal_says_to_come_back_after_as_long_as_it_has_lasted(event, error):
    trouble = failed(100, event)

    refusals = [trouble.refusal(now_s) for now_s in (100, 104, 117, 160, 1000)]

    assert [type(refusal) for refusal in refusals] == [error] * 5
    assert [refusal.retry_after_s for refusal in refusals] == [5, 5, 17, 60, 60]
    assert str(refusals[0]) == "disk I/O error"


def test_nobody_is_refused_before_and_after():
    trouble = Trouble(CONFIG)
    before = trouble.refusal(0)
    trouble.happened(STORE_FAILED, 0)
    trouble.happened(DUE, 0)
    trouble.happened(KEPT, 0)

    assert (before, trouble.refusal(0)) == (None, None)


def test_a_refusal_follows_what_is_wrong_now():
    trouble = failed(event=STORE_FULL)

    trouble.happened(STORE_FAILED, 9, "and now it fails")

    assert isinstance(trouble.refusal(10), StoreFailedError)
    assert trouble.refusal(10).retry_after_s == 10
    assert [fault.what for fault in trouble.due(10, 0)] == [STORE_FULL]
