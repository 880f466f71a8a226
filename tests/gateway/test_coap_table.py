"""A table of fixed size is a dictionary of fixed size."""

import hashlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.table import Table

CAPACITY = 8
# Few places, so that keys meet and wrap around; all far apart in what is above the mask.
KEYS = st.integers(0, 31).map(lambda n: n * 0x1_0000_0001 | 1 << 63)
STEPS = st.lists(st.tuples(st.sampled_from(("put", "remove")), KEYS, st.integers(0, 99)))


@given(STEPS)
def test_it_is_a_dictionary_that_refuses_when_it_is_full(steps):
    table, model = Table(CAPACITY), {}

    for what, key, number in steps:
        if what == "remove":
            table.remove(key)
            model.pop(key, None)
        else:
            fits = key in model or len(model) < CAPACITY
            assert table.put(key, number) == fits
            if fits:
                model[key] = number

        assert {key: table.get(key) for key in model} == model

    absent = [n | 1 << 62 for n in range(2 * CAPACITY)]
    assert [table.get(key) for key in absent] == [None] * len(absent)


def test_places_are_used_again_for_ever():
    table = Table(CAPACITY)

    for key in range(1, 10_000):
        assert table.put(key, key)
        assert table.get(key) == key
        table.remove(key)

    assert table.get(9_999) is None


@pytest.mark.parametrize("number", [0, 1, (1 << 64) - 1])
def test_numbers_have_64_bits(number):
    table = Table(CAPACITY)

    table.put((1 << 64) - 1, number)

    assert table.get((1 << 64) - 1) == number


def test_it_takes_some_34_bytes_a_key_and_none_before_the_first():
    tracemalloc.start()

    table = Table(1 << 14)
    empty_bytes, _ = tracemalloc.get_traced_memory()
    for n in range(1 << 14):
        table.put(int.from_bytes(hashlib.sha256(b"%d" % n).digest()[:8], "big"), n)
    full_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert empty_bytes < 1000
    assert full_bytes / (1 << 14) < 35
