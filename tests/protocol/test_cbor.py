import decimal

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, cbor_reader
from protocol.errors import ProtocolError
from tests.protocol import oracles, strategies


def _as_cbor2(value):
    if isinstance(value, cbor.Decimal):
        digits = tuple(map(int, str(abs(value.mantissa))))
        return decimal.Decimal((int(value.mantissa < 0), digits, value.exponent))
    if isinstance(value, list):
        return [_as_cbor2(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_cbor2(item) for key, item in value.items()}
    return value


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return cbor.encode(cbor_reader.decode(data))
    except ProtocolError:
        return None


@given(strategies.values)
def test_what_is_encoded_is_decoded_to_the_same_value(value):
    decoded = cbor_reader.decode(cbor.encode(value))

    assert decoded == value
    assert cbor.encode(decoded) == cbor.encode(value)


@given(strategies.values)
def test_cbor2_writes_the_same_bytes_and_reads_ours(value):
    data = cbor.encode(value)

    assert data == oracles.cbor(_as_cbor2(value))
    assert cbor2.loads(data) == _as_cbor2(value)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(strategies.values)
def test_damaged_bytes_are_refused_or_have_one_spelling(value):
    data = cbor.encode(value)

    for cut in strategies.prefixes(data):
        assert _respelled(cut) is None
    for changed in strategies.changed_bytes(data):
        assert _respelled(changed) in (None, changed)


@given(st.text())
def test_text_that_cpython_reads_is_utf8_in_one_spelling(text):
    assert cbor_reader._is_utf8(text, text.encode())


@pytest.mark.parametrize("spelling", ["c080", "eda080", "f4908080"])
def test_text_that_only_micropython_reads_is_not_taken_for_utf8(spelling):
    data = bytes.fromhex(spelling)
    letters = {"c080": "\0", "eda080": "\ud800", "f4908080": ""}

    assert not cbor_reader._is_utf8(letters[spelling], data)


@given(st.integers(-(10**30), 10**30), st.integers(-18, 3))
def test_a_decimal_has_the_value_it_was_made_of_and_no_trailing_zero(mantissa, exponent):
    made = cbor.decimal(mantissa, exponent)

    mantissa_kept, exponent_kept = (made, 0) if isinstance(made, int) else made
    assert mantissa_kept * 10 ** (exponent_kept + 18) == mantissa * 10 ** (exponent + 18)
    assert isinstance(made, int) or (exponent_kept < 0 and mantissa_kept % 10)


@pytest.mark.parametrize("value", [1.5, object(), {1, 2}, 1 << 64, -(1 << 64) - 1])
def test_a_value_that_has_no_bytes_is_our_bug(value):
    with pytest.raises(TypeError, match="no CBOR"):
        cbor.encode(value)


def test_bytes_of_any_kind_are_encoded_alike():
    data = b"reading"

    assert cbor.encode(bytearray(data)) == cbor.encode(memoryview(data)) == cbor.encode(data)


def test_an_impossible_count_costs_no_memory():
    head = b"\x9b" + (1 << 40).to_bytes(8, "big")

    with pytest.raises(ProtocolError, match="ends too early"):
        cbor_reader.decode(head)
