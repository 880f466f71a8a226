import pytest

from gateway.coap.own_numbers import (
    CHUNK,
    PER_SECOND,
    OwnNumbers,
    by_clock,
    first_free,
    pace_from,
)
from gateway.errors import BusyError
from protocol.oscore_parts import MAX_NUMBER

Y2025_MS = 1_735_689_600_000
Y2026_MS = 1_767_225_600_000
Y2026 = 365 * 86_400 * PER_SECOND
MINUTE = 60 * PER_SECOND


def test_numbers_are_taken_in_order_across_chunks():
    numbers = OwnNumbers()
    numbers.grant(10, 12)
    numbers.grant(12, 13)

    taken = [numbers.take() for _ in range(3)]

    assert (taken, numbers.left) == ([10, 11, 12], 0)
    with pytest.raises(BusyError):
        numbers.take()


def test_a_chunk_after_a_gap_is_gone_on_with():
    numbers = OwnNumbers()
    numbers.grant(0, 5)

    numbers.grant(100, 105)

    assert (numbers.take(), numbers.left) == (100, 4)


def test_the_next_chunk_is_wanted_before_this_one_ends():
    numbers, wanted = OwnNumbers(), []
    numbers.wanting = lambda: wanted.append(numbers.left)
    numbers.grant(0, CHUNK)

    for _ in range(CHUNK // 2 + 1):
        numbers.take()

    assert wanted == [CHUNK // 2]


def test_past_the_last_number_there_is_none():
    numbers = OwnNumbers()
    numbers.grant(MAX_NUMBER, MAX_NUMBER + 5)

    assert numbers.take() == MAX_NUMBER
    with pytest.raises(BusyError):
        numbers.take()


def test_before_its_second_has_come_no_number_is_taken():
    numbers = OwnNumbers()
    numbers.grant(10, 100)
    numbers.come = lambda: 12

    taken = [numbers.take(), numbers.take()]

    assert (taken, numbers.left) == ([10, 11], 88)
    with pytest.raises(BusyError):
        numbers.take()


@pytest.mark.parametrize(
    ("unix_ms", "number"),
    [
        (Y2025_MS, 0),
        (Y2026_MS, Y2026),
        (Y2026_MS + 999, Y2026 + PER_SECOND - 2),
        (0, None),  # a clock that was not set
        (Y2025_MS - 1, None),
        (10 * Y2026_MS, None),  # one that was set to nonsense
    ],
)
def test_each_second_since_2025_has_numbers_of_its_own(unix_ms, number):
    assert by_clock(unix_ms, newest_ms=0) == number


def test_a_clock_behind_the_newest_entry_is_not_believed():
    assert by_clock(Y2026_MS, newest_ms=Y2026_MS) == Y2026
    assert by_clock(Y2026_MS - 1, newest_ms=Y2026_MS) is None


@pytest.mark.parametrize(
    ("stored", "clock", "first", "pace"),
    [
        (None, Y2026, Y2026, Y2026),
        (5, Y2026, Y2026, Y2026),
        (Y2026 + 5, Y2026, Y2026 + 5, Y2026),  # a start soon after another
        (Y2026 + MINUTE, Y2026, Y2026 + MINUTE, Y2026),
        (Y2026 + MINUTE + 1, Y2026, Y2026 + MINUTE + 1, Y2026 + MINUTE + 1),  # it was ahead
        (5, None, 5, 5),
        (None, None, None, None),
    ],
)
def test_a_start_goes_on_past_what_is_stored_and_past_what_the_clock_has_left(
    stored, clock, first, pace
):
    found = first_free(stored, clock)

    assert found == first
    assert pace is None or pace_from(found, clock) == pace
