import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.contexts import Contexts
from gateway.coap.oscore import OscoreDoor, Outside, Refused, Unsealed
from gateway.registry import Registry
from protocol import coap
from protocol.errors import MalformedError
from protocol.oscore_parts import OBSERVE, OSCORE, Plain, Sealed
from tests.gateway.protected import (
    BAD_OPTION,
    BAD_REQUEST,
    FOUND,
    GET,
    NEWS,
    OBSERVATION,
    POST,
    UNAUTHORIZED,
    FakeEchoes,
    FakeOscoreDevice,
    door_for,
    granted,
    known,
    refused,
)
from tests.protocol import strategies


def test_a_request_is_opened_and_its_answer_is_for_its_device_alone():
    door, device = known()
    request, asked = device.request(POST)

    unsealed = door.open(request, 0)
    sealed = unsealed.seal(FOUND)

    assert (unsealed.who, unsealed.inner([])) == ("shed", POST)
    assert sealed.options == [(OSCORE, b"")]
    assert device.opened(asked, sealed) == (FOUND, None)


def test_the_body_of_a_2_04_is_what_sealing_it_makes():
    door, device = known()
    kept = Plain(coap.CHANGED, [(12, b"\x11")], b"a receipt")
    bodies = []

    for unsealed in [door.open(device.request(POST)[0], 0) for _ in range(2)]:
        first = unsealed.kept(b"\x44" + coap.encode_body(kept.options, kept.payload))
        second = unsealed.kept(b"\x44" + coap.encode_body(kept.options, kept.payload))
        bodies += [first, second]

    for body, number in zip(bodies, (1, 1, 2, 2), strict=True):
        options, payload = coap.decode_body(body, 0)
        asked = device.request(POST)[1]._replace(number=number + 1, partial_iv=bytes([number + 1]))
        assert device.opened(asked, Sealed(coap.CHANGED, options, payload))[0] == kept
    assert [dict(coap.decode_body(body, 0)[0])[OSCORE] != b"" for body in bodies] == [
        False,
        True,
        False,
        True,
    ]


def test_the_requests_nonce_seals_one_answer_and_the_others_have_numbers_of_their_own():
    door, device = known()
    request, asked = device.request(OBSERVATION)
    unsealed = door.open(request, 0)

    sealed = [unsealed.seal(plain) for plain in (FOUND, FOUND, NEWS, FOUND)]

    own_numbers = [device.opened(asked, one)[1] for one in sealed]
    assert own_numbers[0] is None
    assert own_numbers[1:] == [1, 2, 3]


def test_a_notification_has_a_number_of_its_own_from_the_first_on():
    door, device = known()
    request, asked = device.request(OBSERVATION)
    unsealed = door.open(request, 0)

    opened = [device.opened(asked, unsealed.seal(NEWS)) for _ in range(3)]

    assert [own_number for _, own_number in opened] == [1, 2, 3]
    assert unsealed.seal(NEWS).code == coap.CONTENT
    assert (OBSERVE, b"\x07") in unsealed.seal(NEWS).options


HEAD = b"\x02\xb1r\x11\x11\xff"  # POST, Uri-Path r, Content-Format 17, and a payload


def test_what_comes_most_is_opened_the_short_way_and_once():
    door, device = known()
    request, asked = device.request(POST)

    unsealed = door.open_exact(request, (HEAD,))

    assert unsealed.plaintext == HEAD + POST.payload
    assert device.opened(asked, unsealed.seal(FOUND)) == (FOUND, None)
    assert door.open_exact(request, (HEAD,)) is None
    assert refused(door, request) == ("replayed", UNAUTHORIZED)


def test_what_is_not_opened_the_short_way_goes_the_long_way_as_if_it_were_new():
    door, device = known()
    stranger = FakeOscoreDevice("stranger")
    get, post = device.request(GET)[0], device.request(POST)[0]
    forged = post._replace(payload=post.payload[:-1] + b"\x00")

    for request in (get, forged, stranger.request(POST)[0], post._replace(option=b"\x09")):
        assert door.open_exact(request, (HEAD,)) is None

    assert isinstance(door.open(get, 0), Unsealed)
    assert refused(door, forged) == ("undecryptable", BAD_REQUEST)
    assert isinstance(door.open(post, 0), Unsealed)


def test_a_window_that_is_not_known_is_not_opened_the_short_way():
    device = FakeOscoreDevice()

    assert door_for(device).open_exact(device.request(POST)[0], (HEAD,)) is None


def test_a_request_comes_once():
    door, device = known()
    request, _ = device.request(POST)

    assert isinstance(door.open(request, 0), Unsealed)
    assert refused(door, request) == ("replayed", UNAUTHORIZED)


def test_requests_may_come_out_of_order_and_not_too_late():
    door, device = known()
    requests = [device.request(POST)[0] for _ in range(40)]

    assert isinstance(door.open(requests[39], 0), Unsealed)
    assert isinstance(door.open(requests[8], 0), Unsealed)
    assert refused(door, requests[7]) == ("replayed", UNAUTHORIZED)


def test_every_prefix_and_every_changed_bit_is_refused():
    door, device = known()
    request, _ = device.request(POST)
    payloads = [*strategies.prefixes(request.payload), *strategies.changed_bytes(request.payload)]
    options = [*strategies.prefixes(request.option), *strategies.changed_bytes(request.option)]

    for payload in payloads:
        assert refused(door, request._replace(payload=payload)) == ("undecryptable", BAD_REQUEST)
    for option in options:
        assert isinstance(door.open(request._replace(option=option), 0), Refused)
    assert isinstance(door.open(request, 0), Unsealed)


@given(st.binary(max_size=20), st.binary(max_size=60))
def test_any_bytes_are_refused_and_leave_nothing_behind(option, payload):
    device = FakeOscoreDevice()
    contexts = Contexts(Registry([device.known()]))
    numbers = granted()

    found = OscoreDoor(contexts, numbers, FakeEchoes()).open(Outside(2, option, payload), 0)

    assert isinstance(found, Refused)
    assert (len(contexts), numbers.left) == (0, 1 << 20)


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        (b"", ("bad-option", BAD_OPTION)),
        (b"\x08shed", ("bad-option", BAD_OPTION)),  # no number
        (b"\x01\x14", ("bad-option", BAD_OPTION)),  # no kid
        (b"\x0a\x00\x14shed", ("bad-option", BAD_OPTION)),  # leading zeros
        (b"\x29\x14shed", ("bad-option", BAD_OPTION)),  # groups
        (b"\x09\x14nobody!", ("unknown-device", UNAUTHORIZED)),
        (b"\x19\x14\x01cshed", ("unknown-device", UNAUTHORIZED)),  # an ID context
    ],
)
def test_what_names_no_context_is_refused_without_words(option, answer):
    door, _device = known()

    assert refused(door, Outside(2, option, b"payload of some length")) == answer


def test_wrong_keys_are_refused():
    door, _ = known()
    other = FakeOscoreDevice("cellar")
    request, _ = other.request(POST)
    option = request.option[:2] + FakeOscoreDevice().request(POST)[0].option[2:]

    assert refused(door, request._replace(option=option))[0] in ("undecryptable", "replayed")
    other.number = 9
    request, _ = other.request(POST)
    forged = request._replace(option=request.option[:2] + FakeOscoreDevice().kid[:7])
    assert refused(door, forged) == ("undecryptable", BAD_REQUEST)


def test_what_a_device_sealed_that_is_no_message_is_the_devices_fault():
    door, device = known()
    request, _ = device.request(Plain(coap.POST, [(OSCORE, b"\x00"), (11, b"r")], b""))

    unsealed = door.open(request, 0)

    with pytest.raises(MalformedError):
        unsealed.inner([])
