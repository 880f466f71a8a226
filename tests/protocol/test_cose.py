import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import cose, cose_reader
from protocol.errors import BadMacError, ProtocolError
from protocol.mac import HmacKey
from tests.protocol import oracles

parts = st.binary(max_size=60)


@given(parts, parts, parts, parts)
def test_a_mac0_is_that_of_other_libraries(key, protected, payload, aad):
    sealed = cose.mac0(HmacKey(key), protected, payload, external_aad=aad)

    assert sealed == oracles.mac0(key, protected, payload, aad)
    assert cose_reader.parse(sealed)[:2] == (protected, payload)


@given(parts, parts, parts, parts)
def test_a_tag_fits_its_own_external_data_only(protected, payload, aad, other):
    key = HmacKey(b"key")
    tag = cose.tag(key, protected, payload, aad)

    cose_reader.check(key, protected, payload, tag, external_aad=aad)
    with pytest.raises(BadMacError):
        cose_reader.check(key, protected, payload, tag, external_aad=aad + b"x" + other)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_mac0_or_refused(data):
    try:
        protected, payload, tag = cose_reader.parse(data)
    except ProtocolError:
        return

    assert len(tag) == 32
    assert isinstance(protected + payload, bytes)
