import aiocoap
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import coap
from protocol.coap import Message
from protocol.errors import MalformedError, ProtocolError, TooLargeError
from protocol.limits import MAX_DATAGRAM_BYTES
from tests.protocol import strategies
from tests.protocol.cases.coap import by_aiocoap

_FREE = 0x8000  # from here on no option means anything to aiocoap, so it keeps the bytes

options = st.lists(
    st.tuples(st.integers(0, 3000) | st.integers(0, 65535), st.binary(max_size=30)), max_size=6
).map(lambda found: sorted(found, key=lambda option: option[0]))
codes = st.sampled_from([1, 2, 3, 4, 31, 0x41, 0x44, 0x45, 0x5F, 0x80, 0x9D, 0xA3, 0xBF])
messages = st.builds(
    Message,
    st.integers(0, 3),
    codes,
    st.integers(0, 0xFFFF),
    st.binary(max_size=8),
    options,
    st.binary(max_size=60),
)


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return coap.encode(coap.decode(data))
    except ProtocolError:
        return None


@given(messages)
def test_what_is_encoded_is_decoded_to_the_same_message(message):
    assert coap.decode(coap.encode(message)) == message


@given(messages)
def test_aiocoap_writes_the_same_bytes(message):
    assert by_aiocoap(*message) == coap.encode(message)


@given(messages)
def test_aiocoap_reads_the_same_message(message):
    free = [(number | _FREE, value) for number, value in message.options]
    sent = Message(*message[:4], sorted(free, key=lambda option: option[0]), message.payload)

    theirs = aiocoap.Message.decode(coap.encode(sent))

    assert (int(theirs.mtype), int(theirs.code), theirs.mid) == sent[:3]
    assert (theirs.token, theirs.payload) == (sent.token, sent.payload)
    assert [(int(o.number), o.encode()) for o in theirs.opt.option_list()] == sent.options


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(st.integers(0, 3), codes, options, st.binary(max_size=20))
def test_damaged_bytes_are_refused_or_have_one_spelling(kind, code, found, payload):
    data = coap.encode(Message(kind, code, 1, b"tk", found, payload))

    for damaged in [*strategies.prefixes(data), *strategies.changed_bytes(data)]:
        assert _respelled(damaged) in (None, damaged)


@given(st.binary(max_size=80).map(lambda rest: b"\x44\x01\x00\x01toke\xe0\x80\x00" + rest))
def test_whatever_is_accepted_aiocoap_accepts(data):
    # after the token the first option is over _FREE, and numbers only grow
    try:
        message = coap.decode(data)
    except MalformedError:
        return

    assert aiocoap.Message.decode(data).payload == message.payload


def test_the_first_value_of_an_option_is_found():
    message = Message(coap.CON, coap.GET, 1, b"", [(11, b"a"), (11, b"b")], b"")

    assert message.option(coap.URI_PATH) == b"a"
    assert message.option(coap.MAX_AGE) is None


def test_an_empty_message_is_four_bytes():
    assert coap.empty(coap.ACK, 0x1234) == b"\x60\x00\x12\x34"
    assert coap.empty(coap.RST, 0x1234) == b"\x70\x00\x12\x34"


def test_a_code_is_shown_as_the_rfc_does():
    assert coap.code_text(coap.CHANGED) == "2.04"
    assert coap.code_text(0xA3) == "5.03"


def test_what_would_need_fragments_is_not_written():
    room = MAX_DATAGRAM_BYTES - 5
    largest = Message(coap.CON, coap.POST, 1, b"", [], bytes(room))

    assert len(coap.encode(largest)) == MAX_DATAGRAM_BYTES
    with pytest.raises(TooLargeError):
        coap.encode(Message(coap.CON, coap.POST, 1, b"", [], bytes(room + 1)))


@given(st.integers(0, 1 << 40))
def test_an_unsigned_option_has_no_leading_zeros(number):
    data = coap.uint(number)

    assert int.from_bytes(data, "big") == number
    assert not data.startswith(b"\0")


def test_the_options_of_a_request_are_in_order_and_those_of_one_number_as_they_were_given():
    options = coap.options_of("home/shed", 0, [(60, b"\x10"), (6, b""), (1, b"b"), (1, b"a")])

    path = [(11, b"home"), (11, b"shed")]
    assert options == [(1, b"b"), (1, b"a"), (6, b""), *path, (12, b""), (60, b"\x10")]
    assert coap.options_of("r") == [(11, b"r")]
