import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import coap, oscore, oscore_keys, oscore_parts
from protocol.errors import BadMacError, MalformedError, ProtocolError
from protocol.oscore_client import Client
from protocol.oscore_parts import OBSERVE, OSCORE, Plain
from protocol.oscore_server import Server
from tests.oscore_vectors import cipher
from tests.protocol import strategies

DEVICE, GATEWAY = b"device7", b"\x01"
SECRET = bytes(range(32))
CLIENT = Client(oscore_keys.derive(SECRET, sender_id=DEVICE, recipient_id=GATEWAY), cipher)
SERVER = Server(oscore_keys.derive(SECRET, sender_id=GATEWAY, recipient_id=DEVICE), cipher)
OBSERVATION = Plain(coap.GET, [(OBSERVE, b""), (11, b"home")], b"")
KEPT = Plain(coap.CHANGED, [(12, b"\x11")], b"receipt")
NEWS = Plain(coap.CONTENT, [(OBSERVE, b"\x07"), (12, b"")], b"21.5")


def _asked(plain=OBSERVATION, number=5):
    return CLIENT.protect(number, plain)[1]


def _opened(sealed, asked):
    return CLIENT.unprotect(asked, sealed.options, sealed.payload)


@given(st.none() | st.integers(0, oscore_parts.MAX_NUMBER), st.binary(max_size=99))
def test_an_answer_is_opened_with_its_own_number(own_number, payload):
    answer = KEPT._replace(payload=payload)

    sealed = SERVER.protect(_asked(), answer, own_number)

    assert _opened(sealed, _asked()) == (answer, own_number)


def test_a_notification_has_its_place_in_the_order_from_its_number():
    sealed = SERVER.protect(_asked(), NEWS, 0x01020304)

    plain, number = _opened(sealed, _asked())

    assert (OBSERVE, b"\x07") in sealed.options
    assert plain.options == [(OBSERVE, b"\x02\x03\x04"), (12, b"")]
    assert number == 0x01020304


def test_the_first_notification_may_come_under_the_requests_nonce():
    sealed = SERVER.protect(_asked(), NEWS)

    assert _opened(sealed, _asked()) == (NEWS._replace(options=[(OBSERVE, b""), (12, b"")]), None)


def test_an_observe_inside_alone_says_nothing():
    sealed = SERVER.protect(_asked(), NEWS, 9)

    without = sealed._replace(options=[o for o in sealed.options if o[0] != OBSERVE])

    assert _opened(without, _asked())[0].options == [(12, b"")]


def test_a_notification_that_nobody_asked_for_is_refused():
    asked = _asked(OBSERVATION._replace(options=[(OBSERVE, b"\x01"), (11, b"home")]))
    sealed = SERVER.protect(asked, NEWS, 9)

    with pytest.raises(MalformedError):
        _opened(sealed, asked)


def test_an_answer_to_another_request_is_refused():
    for own_number in (None, 9):
        sealed = SERVER.protect(_asked(number=5), KEPT, own_number)

        with pytest.raises(BadMacError):
            _opened(sealed, _asked(number=6))


def test_an_answer_without_protection_is_refused():
    for options in ([], [(12, b"\x11")], [(OSCORE, b""), (OSCORE, b"")]):
        with pytest.raises(BadMacError):
            CLIENT.unprotect(_asked(), options, b"payload of some length")


def test_an_answer_that_names_somebody_else_is_refused():
    sealed = SERVER.protect(_asked(), KEPT)
    named = {b"\x08" + GATEWAY: True, b"\x08" + DEVICE: False, b"\x10\x00": False}

    for option, good in named.items():
        try:
            _opened(sealed._replace(options=[(OSCORE, option)]), _asked())
        except MalformedError:
            assert not good
        else:
            assert good


def test_every_prefix_and_every_changed_bit_is_refused():
    sealed = SERVER.protect(_asked(), KEPT, 9)
    payloads = [*strategies.prefixes(sealed.payload), *strategies.changed_bytes(sealed.payload)]
    values = [*strategies.changed_bytes(sealed.options[0][1]), sealed.options[0][1] + b"\0"]

    for payload in payloads:
        with pytest.raises(ProtocolError):
            _opened(sealed._replace(payload=payload), _asked())
    for value in values:
        with pytest.raises(ProtocolError):
            _opened(sealed._replace(options=[(OSCORE, value)]), _asked())


def test_a_plaintext_without_a_code_or_with_oscore_inside_is_refused():
    asked = _asked()
    for plaintext in (b"", oscore.encode_plaintext(Plain(coap.CONTENT, [(OSCORE, b"")], b""))):
        ciphertext = SERVER.seal(asked, plaintext)

        with pytest.raises(MalformedError):
            CLIENT.unprotect(asked, [(OSCORE, b"")], ciphertext)
