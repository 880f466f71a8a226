"""The quick yes to a pack never stands where the decoder says no."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest import packs
from protocol import cbor, resolve, senml
from protocol.cbor import decimal
from protocol.errors import ProtocolError
from protocol.senml import Reading

NOW_MS = 1_790_000_000_123
USUAL = {
    "one reading": [("t", "Cel", decimal(2150, -2), NOW_MS)],
    "a negative fraction": [("t", "Cel", decimal(-2151, -2), NOW_MS)],
    "no unit": [("t", "", 7, NOW_MS)],
    "a truth": [("door", "", True, NOW_MS)],
    "no clock": [("t", "Cel", 7, -3000)],
    "several": [(f"t{n}", "%RH", n - 5, NOW_MS + n * 999) for n in range(10)],
    "more than a head holds": [(f"t{n}", "Cel", n << 30, NOW_MS) for n in range(40)],
    "big numbers": [("a", "", (1 << 63) - (1 << 56) - 1, NOW_MS), ("b", "", -(1 << 62), NOW_MS)],
    "whole seconds": [("t", "Cel", 7, 1_790_000_000_000)],
}
PLAIN = {
    "fractions": [("t", "Cel", decimal(2151 + 7 * n, -2), NOW_MS - 1313 * n) for n in range(10)],
    "below zero": [("t", "Cel", decimal(-(1 + 9 * n), -1), NOW_MS - n) for n in range(9)],
    "no unit, no time": [(f"t/{n}", "", 1 << n, NOW_MS) for n in range(31)],
}
ALMOST_PLAIN = {
    "a pressure": [("p", "hPa", decimal(101_325 + n, -2), NOW_MS) for n in range(3)],
    "a truth": [("door", "", n > 1, NOW_MS + n) for n in range(3)],
    "a big number": [("n", "", 1 << 40, NOW_MS + n) for n in range(3)],
    "a long device": [("t" * 22, "", 1, NOW_MS + n) for n in range(3)],
}
UNUSUAL = {
    "text": [("t", "", "wet", NOW_MS)],
    "data": [("t", "", b"\1\2", NOW_MS)],
    "a long unit": [("t", "x" * 24, 1, NOW_MS)],
    "a unit of other letters": [("t", "µm", 1, NOW_MS)],
    "a long name": [("x" * 24, "", 1, NOW_MS)],
    "a far time": [("t", "", 1, (1 << 62) // 1000 * 1000)],
}
NAMES = ["shed", "s", "a-device-with-a-name-of-32-bytes"]


def packed(fields: list[tuple[str, str, object, int]], device: str = "shed") -> bytes:
    return senml.encode_pack(f"{device}/", [Reading(f"{device}/{f[0]}", *f[1:]) for f in fields])


def is_right(data: bytes, prefix: str = "shed/") -> bool:
    try:
        return all(reading.name.startswith(prefix) for reading in resolve.decode_pack(data))
    except ProtocolError:
        return False


def agrees(data: bytes, device: str = "shed") -> bool:
    return not packs.is_usual(data, f"{device}/".encode()) or is_right(data, f"{device}/")


@pytest.mark.parametrize("fields", USUAL.values(), ids=USUAL)
def test_a_usual_pack_is_seen_as_one(fields):
    for device in NAMES:
        assert packs.is_usual(packed(fields, device), f"{device}/".encode())
        assert is_right(packed(fields, device), f"{device}/")


@pytest.mark.parametrize("fields", (PLAIN | ALMOST_PLAIN).values(), ids=PLAIN | ALMOST_PLAIN)
def test_a_pack_of_plain_records_and_one_that_is_almost_are_usual_both(fields):
    for device in NAMES:
        assert packs.is_usual(packed(fields, device), f"{device}/".encode())
        assert is_right(packed(fields, device), f"{device}/")


@pytest.mark.parametrize("places", range(-18, 0))
def test_of_plain_fractions_those_with_a_zero_at_the_end_are_left_to_the_decoder(places):
    first = packed([("t", "", 1, NOW_MS)])[1:]

    for mantissa in [*range(-600, 600), *range(-65_536, 65_536, 997)]:
        number = cbor.encode(decimal(7, places))[:3] + cbor.encode(mantissa)
        data = b"\x82" + first + b"\xa2\x00\x61t\x02" + number
        assert packs.is_usual(data, b"shed/") == (mantissa % 10 != 0) == is_right(data)


@pytest.mark.parametrize("fields", UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_pack_is_left_to_the_decoder(fields):
    assert not packs.is_usual(packed(fields), b"shed/")
    assert is_right(packed(fields))


@pytest.mark.parametrize("fields", USUAL.values(), ids=USUAL)
def test_another_devices_pack_is_not_usual(fields):
    assert not packs.is_usual(packed(fields, "shed2"), b"shed/")
    assert not packs.is_usual(packed(fields, "she"), b"shed/")


ALL = USUAL | PLAIN | ALMOST_PLAIN | UNUSUAL


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fields", ALL.values(), ids=ALL)
def test_every_prefix_and_every_changed_byte_is_judged_as_the_decoder_does(fields, step):
    """To each `step`-th value, the next byte to others."""
    good = packed(fields[:3])

    for cut in range(len(good)):
        assert agrees(good[:cut]), good[:cut].hex()
    for at in range(len(good)):
        for value in range(at % step, 256, step):
            changed = good[:at] + bytes([value]) + good[at + 1 :]
            assert agrees(changed), changed.hex()


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))]
)
def test_random_packs_with_random_damage_are_judged_as_the_decoder_does(seed):
    roll = random.Random(seed)

    for _ in range(3000):
        device = roll.choice(NAMES)
        data = bytearray(packed([_fields(roll) for _ in range(roll.choice([1, 2, 3, 24]))], device))
        for _ in range(roll.choice([0, 1, 1, 2])):
            _damage(data, roll)
        assert agrees(bytes(data), device), f"seed {seed}: {data.hex()}"


RECORDS = st.lists(
    st.dictionaries(
        st.sampled_from([-4, -3, -2, 0, 1, 2, 3, 4, 6, 8]),
        st.one_of(
            st.integers(-(1 << 63), (1 << 64) - 1),
            st.builds(decimal, st.integers(-(1 << 63), 1 << 63), st.integers(-20, -1)),
            st.sampled_from(["shed/", "shed/t", "t", "", "Cel", "/", "%RH", True, False, None]),
        ),
    ),
    max_size=3,
)


@given(RECORDS)
def test_records_of_any_fields_are_judged_as_the_decoder_does(records):
    assert agrees(cbor.encode(records))


def _fields(roll: random.Random) -> tuple[str, str, object, int]:
    value = roll.choice(
        [True, 5, -7, decimal(roll.randrange(-(10**18), 10**18), -roll.randrange(1, 19))]
    )
    time_ms = roll.choice([NOW_MS, 5, 0, -3000, roll.randrange(1 << 62)])
    return roll.choice(["t", "h/1", "x" * 30, ""]), roll.choice(["Cel", "", "%RH"]), value, time_ms


def _damage(data: bytearray, roll: random.Random) -> None:
    at = roll.randrange(len(data))
    kind = roll.randrange(4)
    if kind == 0:
        data[at] ^= 1 << roll.randrange(8)
    elif kind == 1:
        data[at] = roll.choice(b"\0\1\2\4\6\x21\x22\x23\xa1\xc4\x18\x19\x1b\xff")
    elif kind == 2 and len(data) > 1:
        del data[at]
    else:
        data.insert(at, roll.randrange(256))
