"""When readings were answered: a dictionary with a clock, in 100 bytes a request."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.generations import LIFETIME_MS
from gateway.coap.repeats import Repeats

KEYS = st.sampled_from([hash(("peer", n)) for n in range(6)] + [-1, 0, -(1 << 63)])
STEPS = st.lists(st.tuples(KEYS, st.integers(0, 2**41), st.integers(0, 10_000)))


@given(STEPS)
def test_within_the_lifetime_it_is_a_dictionary(steps):
    repeats, model, now_ms = Repeats(0, per_generation=16), {}, 0

    for key, time_ms, step_ms in steps:
        now_ms = min(now_ms + step_ms, LIFETIME_MS)
        repeats.remember(key, time_ms, now_ms)
        model[key] = time_ms

        assert {key: repeats.find(key, now_ms) for key in model} == model


def test_what_never_came_is_new():
    repeats = Repeats(0)
    repeats.remember(5, 1000, 0)

    assert repeats.find(6, 0) is None


@pytest.mark.parametrize("time_ms", [0, 1_790_000_000_000])
def test_a_clock_that_is_not_trusted_is_a_time_too(time_ms):
    repeats = Repeats(0)

    repeats.remember(5, time_ms, 0)

    assert repeats.find(5, 0) == time_ms


def test_the_same_bytes_an_hour_later_are_new_though_nothing_came_between():
    repeats = Repeats(0)
    repeats.remember(5, 1000, 0)

    assert repeats.find(5, 3_600_000) is None


def test_past_its_bound_the_oldest_go_and_the_newest_stay():
    repeats = Repeats(0, per_generation=8)

    for key in range(1, 41):
        repeats.remember(key, key, 0)

    found = [key for key in range(1, 41) if repeats.find(key, 0) == key]
    assert found == list(range(9, 41))


def test_a_remembered_request_takes_at_most_100_bytes():
    count = 1 << 12
    keys = [hash(("peer", n)) for n in range(4 * count)]
    tracemalloc.start()

    repeats = Repeats(0, per_generation=count)
    for n, key in enumerate(keys):
        repeats.remember(key, 1_790_000_000_000 + n, 0)
    taken_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    print(f"{taken_bytes / len(keys):.1f} bytes a request")
    assert all(repeats.find(key, 0) is not None for key in keys)
    assert taken_bytes / len(keys) <= 100
