import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import coap, oscore, oscore_parts
from protocol.errors import MalformedError, ProtocolError
from protocol.oscore import Header
from protocol.oscore_parts import OBSERVE, OSCORE, Plain
from protocol.oscore_server import Window
from tests.protocol import strategies
from tests.protocol.test_oscore_client import CLIENT, DEVICE, OBSERVATION, SERVER

POST = Plain(coap.POST, [(11, b"r"), (12, b"\x11")], b"an envelope")
payloads = st.binary(max_size=60)
paths = st.lists(st.binary(max_size=4), max_size=3).map(lambda found: [(11, f) for f in found])


def _opened(sealed):
    (value,) = [value for number, value in sealed.options if number == OSCORE]
    return SERVER.unprotect(
        oscore.decode_option(value), sealed.code, sealed.options, sealed.payload
    )


@given(st.integers(0, oscore_parts.MAX_NUMBER), st.sampled_from([1, 2, 3, 4, 5]), paths, payloads)
def test_a_request_is_opened_as_it_was(number, code, path, payload):
    plain = Plain(code, path, payload)

    sealed, asked = CLIENT.protect(number, plain)

    assert _opened(sealed) == (plain, asked)
    assert asked.number == number


def test_what_a_proxy_may_read_and_change_is_outside_and_nothing_else():
    plain = Plain(3, [(3, b"h"), (11, b"p"), (15, b"q")], b"")

    sealed, _ = CLIENT.protect(0, plain)

    assert [number for number, _ in sealed.options] == [3, OSCORE]
    changed = sealed._replace(options=[(3, b"other"), *sealed.options[1:], (11, b"more")])
    assert _opened(changed)[0].options == [(3, b"other"), (11, b"p"), (15, b"q")]


def test_an_observation_that_a_proxy_took_away_is_a_plain_request():
    sealed, _ = CLIENT.protect(0, OBSERVATION)

    plain, asked = _opened(sealed._replace(options=sealed.options[1:]))

    assert plain == Plain(coap.GET, [(11, b"home")], b"")
    assert not asked.observes
    assert _opened(sealed)[1].observes


def test_an_observation_that_a_proxy_added_is_none():
    sealed, _ = CLIENT.protect(0, POST)

    plain, asked = _opened(sealed._replace(options=[(OBSERVE, b""), *sealed.options]))

    assert (plain, asked.observes) == (POST, False)


def test_a_request_has_a_number():
    with pytest.raises(MalformedError):
        SERVER.unprotect(Header(None, DEVICE, None), 2, [], b"payload of some length")


def test_every_prefix_and_every_changed_bit_is_refused():
    sealed, _ = CLIENT.protect(300, POST)
    value = sealed.options[0][1]
    payloads = [*strategies.prefixes(sealed.payload), *strategies.changed_bytes(sealed.payload)]

    for payload in payloads:
        with pytest.raises(ProtocolError):
            _opened(sealed._replace(payload=payload))
    for at in range(3):  # flags and number; the kid after them is for finding the keys
        changed = value[:at] + bytes((value[at] ^ 1,)) + value[at + 1 :]
        with pytest.raises(ProtocolError):
            _opened(sealed._replace(options=[(OSCORE, changed)]))


@given(st.lists(st.integers(0, 80) | st.integers(0, oscore_parts.MAX_NUMBER), max_size=60))
def test_a_window_takes_each_number_once_and_none_that_is_32_behind(numbers):
    window, taken = Window(), set()

    for number in numbers:
        fresh = number not in taken and number > max(taken, default=-1) - 32
        assert window.is_fresh(number) is fresh
        if fresh:
            window.take(number)
            taken.add(number)


@given(st.integers(0, 1000), st.integers(0, 1100))
def test_a_window_that_is_opened_at_a_number_takes_later_ones_only(newest, number):
    assert Window(newest).is_fresh(number) is (number > newest)
