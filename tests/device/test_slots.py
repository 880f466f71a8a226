"""The boot selector's decisions, start after start, and what is left of them on flash."""

import zlib

import pytest

from device.slots import FILE
from tests.device.releases import release
from tests.device.selecting import FILES, new_board, on_trial, rot, started

COPY = f"{FILE}.2"


@pytest.fixture
def root(tmp_path):
    return new_board(tmp_path)


def test_a_new_board_starts_the_slot_that_is_whole(root):
    (root / "a" / "manifest").rename(root / "b" / "manifest")

    assert started(root).choose() == "b"


def test_without_any_whole_slot_it_starts_the_first(root):
    (root / "a" / "manifest").unlink()

    assert started(root).choose() == "a"


def test_a_trial_is_counted_before_it_is_entered_and_ends_after_two_starts(root):
    on_trial(root)

    chosen = [started(root).choose() for _ in range(4)]

    slots = started(root)
    assert chosen == ["b", "b", "a", "a"]
    assert (slots.active, slots.trial, slots.wanted) == ("a", "", "")
    assert slots.outcome == "1.1.0 rolled back: no receipt in 2 starts"


def test_what_is_confirmed_stays_and_sets_the_floor(root):
    on_trial(root, counter=5)
    slots = started(root)
    slots.choose()

    slots.confirm()

    slots = started(root)
    assert (slots.choose(), slots.other, slots.floor) == ("b", "a", 5)
    assert slots.outcome == "1.1.0 ok"
    slots.told()
    assert not started(root).is_pending


def test_a_roll_back_leaves_the_floor_as_it_was(root):
    on_trial(root, counter=5)
    started(root).confirm()
    on_trial(root, "1.2.0", counter=9)

    started(root).roll_back("of no use")

    slots = started(root)
    assert (slots.active, slots.floor, slots.outcome) == ("b", 5, "1.2.0 rolled back: of no use")


def test_what_is_told_is_short_and_plain(root):
    on_trial(root)

    started(root).roll_back("é\n" + "x" * 100)

    assert started(root).outcome == ("1.1.0 rolled back:   " + "x" * 100)[:64]


DAMAGES = [b"", b"nonsense", bytes(4), None]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [FILE, COPY])
def test_one_rotten_state_lowers_no_floor_and_is_made_anew_from_the_other(root, name, damage):
    on_trial(root, counter=5)
    started(root).confirm()
    whole = (root / "data" / name).read_bytes()
    rot(root / "data" / name, damage)

    slots = started(root)

    assert (slots.active, slots.floor, slots.outcome) == ("b", 5, "1.1.0 ok")
    assert (root / "data" / name).read_bytes() == whole


@pytest.mark.parametrize("damage", DAMAGES)
def test_with_both_states_rotten_it_is_as_a_new_board(root, damage):
    on_trial(root)
    rot(root / "data" / FILE, damage)
    rot(root / "data" / COPY, damage)

    slots = started(root)

    assert (slots.active, slots.trial, slots.floor) == ("a", "", 0)


def test_the_state_of_an_earlier_selector_is_understood(root):
    data = b"b\na\n1.1.0\n\n1\n0\n4\n5"
    (root / "data" / FILE).write_bytes(data + zlib.crc32(data).to_bytes(4, "big"))

    slots = started(root)

    assert (slots.active, slots.trial, slots.wanted) == ("b", "a", "1.1.0")
    assert (slots.starts, slots.floor, slots.counter) == (1, 4, 5)
    assert (slots.wakes, slots.bad) == (0, "")


def test_a_start_that_cannot_be_counted_enters_no_trial_and_gets_no_update(root):
    on_trial(root)
    slots = started(root)
    for name in (FILE, COPY):  # a flash that takes nothing any more
        (root / "data" / name).unlink()
        (root / "data" / name).mkdir()

    assert slots.choose() == "a"
    assert not slots.begins()
    slots.roll_back("of no use")


def test_a_trial_that_says_it_only_sleeps_has_an_end_all_the_same(root):
    on_trial(root)
    starts = 0

    while started(root).choose() == "b":
        slots = started(root)
        slots.starts -= 1  # as `device.sleeping` excuses a wake
        slots.save()
        starts += 1

    assert starts == 100
    assert started(root).outcome == "1.1.0 rolled back: no receipt in 100 starts"


def test_what_was_rolled_back_is_whole_no_more(root):
    release(root, FILES).rename(root / "b" / "new")
    (root / "b" / "new" / "manifest").rename(root / "b" / "manifest")
    on_trial(root)

    started(root).roll_back("of no use")

    assert not started(root).is_whole("b")
