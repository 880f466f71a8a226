import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import mac
from tests.protocol import oracles


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_a_tag_is_that_of_another_hmac(key, message):
    assert mac.HmacKey(key).tag(message) == oracles.hmac(key, message)


@pytest.mark.parametrize("size", [0, 63, 64, 65])
def test_only_a_key_longer_than_a_block_is_hashed_first(size):
    key = bytes(range(size))

    assert mac.HmacKey(key).tag(b"message") == oracles.hmac(key, b"message")


@given(
    st.binary(max_size=80),
    st.binary(max_size=40),
    st.integers(1, 255 * 32),
    st.binary(max_size=80),
)
def test_a_derived_key_is_that_of_another_hkdf(secret, info, size, salt):
    assert mac.hkdf(secret, info, size, salt) == oracles.hkdf(secret, info, size, salt)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_only_the_same_bytes_are_equal(ours, theirs):
    assert mac.equal(ours, ours)
    assert mac.equal(ours, theirs) is (ours == theirs)


def test_a_key_is_not_shown_by_its_repr():
    key = b"a device's secret of thirty-two."

    assert key.hex() not in repr(mac.HmacKey(key))
    assert "secret" not in repr(mac.HmacKey(key))
