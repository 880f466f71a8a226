import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, resolve, senml
from protocol.errors import ProtocolError
from protocol.limits import RELATIVE_TIME_MS
from protocol.senml import Reading
from tests.protocol import strategies


@given(strategies.names, st.lists(strategies.readings, min_size=1, max_size=8))
def test_readings_come_out_of_a_pack_as_they_went_in(base_name, readings):
    named = [Reading(base_name + r.name, r.unit, r.value, r.time_ms) for r in readings]

    assert resolve.decode_pack(senml.encode_pack(base_name, named)) == named


@given(st.binary(max_size=60))
def test_any_bytes_are_a_pack_or_refused(data):
    try:
        readings = resolve.decode_pack(data)
    except ProtocolError:
        return

    assert readings


@given(st.lists(st.dictionaries(st.integers(-5, 9), strategies.values, max_size=4), max_size=4))
def test_any_records_are_a_pack_or_refused(records):
    try:
        readings = resolve.decode_pack(cbor.encode(records))
    except ProtocolError:
        return

    assert all(senml.is_name(reading.name) for reading in readings)


@given(st.lists(strategies.readings, min_size=1, max_size=3))
def test_a_damaged_pack_is_a_pack_or_refused(readings):
    data = senml.encode_pack("", readings)

    for damaged in [*strategies.prefixes(data), *strategies.changed_bytes(data)]:
        try:
            resolve.decode_pack(damaged)
        except ProtocolError:
            pass


def test_a_refusal_says_which_record():
    data = cbor.encode([{0: "a", 2: 1}, {0: "b"}])

    with pytest.raises(ProtocolError, match="record 1 has 0 values"):
        resolve.decode_pack(data)


@pytest.mark.parametrize(
    ("time_ms", "unix_ms"),
    [
        (0, 5_000),
        (-2_000, 3_000),
        (RELATIVE_TIME_MS - 1, RELATIVE_TIME_MS + 4_999),
        (RELATIVE_TIME_MS, RELATIVE_TIME_MS),
        (1_700_000_000_000, 1_700_000_000_000),
    ],
)
def test_times_below_the_limit_are_relative_to_now(time_ms, unix_ms):
    assert resolve.absolute_ms(time_ms, now_ms=5_000) == unix_ms
