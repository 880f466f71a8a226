"""What is remembered: for the lifetime of a message id at least, a third longer at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.generations import LIFETIME_MS, Generations

AT_MOST_MS = 4 * (LIFETIME_MS // 3 + 1)


def put(generations, thing, now_ms):
    generations.keep_up(now_ms)
    generations.all[0].add(thing)


def holds(generations, thing, now_ms):
    generations.keep_up(now_ms)
    return any(thing in generation for generation in generations.all)


@given(
    st.integers(0, 10**6), st.lists(st.integers(0, LIFETIME_MS), max_size=9), st.integers(0, 10**6)
)
def test_a_thing_stays_for_the_lifetime_and_a_third_longer_at_most(begin_ms, others_ms, age_ms):
    generations = Generations(set, 0)
    put(generations, "it", begin_ms)

    for since_ms in sorted(others_ms):
        if since_ms <= age_ms:
            put(generations, since_ms, begin_ms + since_ms)
    held = holds(generations, "it", begin_ms + age_ms)

    if age_ms <= LIFETIME_MS:
        assert held
    if age_ms >= AT_MOST_MS:
        assert not held


@pytest.mark.parametrize("quiet_ms", [AT_MOST_MS, 3_600_000, 10**12])
def test_it_is_forgotten_though_nobody_asked_meanwhile(quiet_ms):
    generations = Generations(set, 0)
    put(generations, "it", 0)

    assert not holds(generations, "it", quiet_ms)


def test_one_that_is_full_turns_early_and_the_oldest_goes():
    generations = Generations(set, 0)
    put(generations, "it", 0)

    found = []
    for _ in range(4):
        generations.turn_early(1)
        found.append(holds(generations, "it", 1))

    assert found == [True, True, True, False]
