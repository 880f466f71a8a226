"""Multiples of the base point: right, always in the same steps, and never wrong in silence."""

import random
import sys
from collections import Counter

import pytest

from protocol import p256
from protocol.errors import FaultError
from protocol.p256 import N, P, finished
from tests.protocol import oracles
from tests.signing_vectors import read_point
from tools.p256_table import table

EDGES = [1, 2, 3, N - 1, N - 2, 1 << 43, (1 << 44) - 1, 1 << 44, 1 << 255, (1 << 255) - 1, N >> 1]


def scalars(count, seed=1):
    dice = random.Random(seed)
    return EDGES + [dice.randrange(1, N) for _ in range(count)]


def affine(point):
    x, y, zz, zzz = point
    x, y = x * pow(zz, -1, P) % P, y * pow(zzz, -1, P) % P
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def multiple(scalar, blind=7, read=read_point):
    return finished(p256.multiple(scalar, read, blind))


def test_multiples_are_what_the_library_says():
    for scalar in scalars(100):
        expected = oracles.p256_public(scalar.to_bytes(32, "big"))

        assert affine(multiple(scalar)) == expected


def test_the_blind_changes_the_numbers_and_not_the_point():
    first, second = multiple(1234, blind=5), multiple(1234, blind=P - 2)

    assert first != second
    assert affine(first) == affine(second)


def test_every_scalar_takes_43_additions_and_10_doublings():
    for scalar in scalars(30, seed=2):
        called: Counter[str] = Counter()

        def count(frame, event, _, called=called):
            if event == "call" and frame.f_code.co_filename == p256.__file__:
                called[frame.f_code.co_name] += 1

        sys.setprofile(count)
        try:
            multiple(scalar)
        finally:
            sys.setprofile(None)

        assert (called["added"], called["doubled"], called["_looked_up"]) == (43, 10, 44), scalar


def test_it_pauses_after_every_point():
    for scalar in scalars(3):
        assert len(list(p256.multiple(scalar, read_point, 7))) == 54


def test_no_flipped_bit_of_the_table_makes_another_point():
    whole, dice = table(), random.Random(3)
    caught = 0
    for _ in range(300):
        damaged, scalar = bytearray(whole), dice.randrange(1, N)
        bit = dice.randrange(8 * len(whole))
        damaged[bit >> 3] ^= 1 << (bit & 7)

        def read(index, damaged=damaged):
            return damaged[index * 64 : index * 64 + 64]

        try:
            found = affine(multiple(scalar, read=read))
        except FaultError:
            caught += 1
        else:
            assert found == affine(multiple(scalar)), f"bit {bit} of the table, {scalar:#x}"

    print(f"{caught} of 300 flipped bits were in use, and caught")
    assert caught > 50


def test_a_table_of_one_point_is_caught():
    with pytest.raises(FaultError):
        multiple(1234, read=lambda index: read_point(0))


@pytest.mark.parametrize("modulus", [P, N])
def test_an_inverse_is_one(modulus):
    for number in scalars(50):
        assert finished(p256.inverse(number, modulus)) == pow(number, -1, modulus)


def test_zero_has_no_inverse():
    with pytest.raises(FaultError):
        finished(p256.inverse(0, P))


def test_no_step_of_an_inverse_is_longer_than_a_few_divisions():
    steps = [len(list(p256.inverse(number, N))) for number in scalars(100)]

    assert max(steps) <= 10
    assert sum(steps) > 5 * 100
