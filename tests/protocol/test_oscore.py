import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import oscore, oscore_keys, oscore_parts
from protocol.errors import MalformedError, ProtocolError, TooLargeError
from protocol.oscore import Header
from protocol.oscore_parts import Plain

SECRET = bytes(range(32))
ivs = st.integers(0, oscore_parts.MAX_NUMBER).map(oscore_parts.partial_iv)
headers = st.builds(
    Header,
    st.none() | ivs,
    st.none() | st.binary(max_size=7),
    st.none() | st.binary(max_size=8),
)


@given(headers)
def test_an_option_is_read_as_it_was_written(header):
    assert oscore.decode_option(oscore.encode_option(header)) == header


@given(st.binary(max_size=30))
def test_an_option_has_one_spelling_or_is_refused(value):
    try:
        header = oscore.decode_option(value)
    except ProtocolError:
        return

    assert oscore.encode_option(header) == value


@given(st.binary(max_size=60))
def test_a_plaintext_has_one_spelling_or_is_refused(data):
    try:
        plain = oscore.decode_plaintext(data)
    except ProtocolError:
        return

    again = oscore.encode_plaintext(plain)
    assert oscore.decode_plaintext(again) == plain


def test_a_plaintext_holds_a_code_and_no_oscore_of_its_own():
    for data in (b"", oscore.encode_plaintext(Plain(2, [(9, b"\x09\x00")], b""))):
        with pytest.raises(MalformedError):
            oscore.decode_plaintext(data)


def test_the_last_number_is_the_last():
    assert oscore_parts.partial_iv(oscore_parts.MAX_NUMBER) == b"\xff" * 5

    with pytest.raises(TooLargeError):
        oscore_parts.partial_iv(oscore_parts.MAX_NUMBER + 1)


@given(
    st.tuples(st.binary(max_size=7), st.integers(0, oscore_parts.MAX_NUMBER)),
    st.tuples(st.binary(max_size=7), st.integers(0, oscore_parts.MAX_NUMBER)),
)
def test_two_numbers_or_two_senders_never_share_a_nonce(one, other):
    iv = bytes(range(13))

    nonces = [
        oscore_parts.nonce(oscore_parts.nonce_base(iv, who), number) for who, number in (one, other)
    ]

    assert (nonces[0] == nonces[1]) is (one == other)


def test_keys_are_not_printed():
    keys = oscore_keys.derive(SECRET, sender_id=b"a", recipient_id=b"b")

    assert keys.sender.hex() not in repr(keys)
    assert repr(keys) == str(keys) == f"{keys}" == "Keys(…)"


options = st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=2)), max_size=6).map(
    lambda found: sorted(found, key=lambda option: option[0])
)


@given(options, options)
def test_merged_options_are_in_order_and_keep_the_order_of_their_own(these, those):
    merged = oscore.merged(these, those)

    assert [n for n, _ in merged] == sorted(n for n, _ in these + those)
    for number in range(21):
        kept = [option for option in merged if option[0] == number]
        assert kept == [o for o in these + those if o[0] == number]
