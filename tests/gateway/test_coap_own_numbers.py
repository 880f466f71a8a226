import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.own_numbers import CHUNK, PER_SECOND, OwnNumbers, first_free
from gateway.errors import BusyError
from protocol.oscore import MAX_NUMBER

Y2025_MS = 1_735_689_600_000
Y2026_MS = 1_767_225_600_000
BY_CLOCK = 365 * 86_400 * PER_SECOND
ages = st.integers(0, 30 * 365 * 86_400)  # seconds since 2025


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


@pytest.mark.parametrize(
    ("stored", "unix_ms", "first"),
    [
        (None, Y2026_MS, BY_CLOCK),
        (5, Y2026_MS, BY_CLOCK),
        (BY_CLOCK + 5, Y2026_MS, BY_CLOCK + 5),
        (5, 0, 5),  # a clock that was not set
        (5, 10 * Y2026_MS, 5),  # one that was set to nonsense
        (None, 0, None),
        (None, 10 * Y2026_MS, None),
    ],
)
def test_a_start_goes_on_past_what_is_stored_and_past_what_the_clock_allows(stored, unix_ms, first):
    assert first_free(stored, unix_ms) == first


@given(ages, ages, st.integers(0, 1 << 30))
def test_an_older_copy_that_is_put_back_repeats_nothing_that_was_used_in_between(
    copied_s, later_s, used
):
    """As long as no more were used than the clock allows for."""
    start = first_free(0, Y2025_MS + copied_s * 1000)
    now_ms = Y2025_MS + (copied_s + later_s) * 1000
    used = min(used, later_s * PER_SECOND)

    for copy in (0, start, None):
        assert first_free(copy, now_ms) >= start + used
