import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.contexts import Contexts
from gateway.coap.oscore import OscoreDoor, Outside, Refused, Unsealed
from gateway.coap.own_numbers import OwnNumbers
from gateway.errors import BusyError
from gateway.registry import Registry
from protocol import coap
from protocol.errors import MalformedError
from protocol.oscore import OBSERVE, OSCORE, Plain, Sealed
from tests.gateway.protected import (
    ELSEWHERE,
    GET,
    PEER,
    POST,
    FakeEchoes,
    FakeOscoreDevice,
    door_for,
    granted,
    with_echo,
)
from tests.protocol import strategies

OBSERVATION = Plain(coap.GET, [(OBSERVE, b""), (11, b"home")], b"")
FOUND = Plain(coap.CONTENT, [(12, b"")], b"21.5")
NEWS = Plain(coap.CONTENT, [(OBSERVE, b"\x07"), (12, b"")], b"21.5")
BAD_REQUEST, UNAUTHORIZED, BAD_OPTION, BUSY = 0x80, 0x81, 0x82, 0xA3


def known(**more):
    """A door, and a device whose window it knows."""
    device = FakeOscoreDevice()
    door = door_for(device, **more)
    device.introduce(door)
    return door, device


def refused(door, request, now_ms=0):
    """(reason, code) of a refusal that nobody had to seal."""
    found = door.open(request, now_ms)
    assert isinstance(found, Refused)
    assert found.sealed == Sealed(found.sealed.code, [], b"")
    return found.reason, found.sealed.code


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

    found = OscoreDoor(contexts, numbers, FakeEchoes()).open(Outside(2, option, payload, PEER), 0)

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

    assert refused(door, Outside(2, option, b"payload of some length", PEER)) == answer


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


# --- a start, and what is not known after it -------------------------------------------------


def test_after_a_start_a_request_is_challenged_and_counts_with_the_echo():
    device = FakeOscoreDevice()
    device.number = 700
    door = door_for(device)
    request, asked = device.request(POST)

    challenge = door.open(request, 0)
    again, _ = device.request(with_echo(POST, device.echo(asked, challenge)))

    assert challenge.reason == "stale"
    assert isinstance(door.open(again, 0), Unsealed)
    assert isinstance(door.open(device.request(POST)[0], 0), Unsealed)
    assert refused(door, request) == ("replayed", UNAUTHORIZED)
    assert refused(door, again) == ("replayed", UNAUTHORIZED)


def test_what_was_recorded_before_a_start_opens_nothing_after_it():
    door, device = known()
    recorded = [device.request(POST)[0] for _ in range(5)]
    first, _asked = device.request(GET)
    opened, _ = device.request(with_echo(GET, b"0 192.0.2.1 0"))
    recorded += [first, opened]
    for request in recorded:
        door.open(request, 0)

    restarted = door_for(device, start=1)

    assert {restarted.open(request, 0).reason for request in recorded} == {"stale"}


def test_an_echo_is_for_the_address_it_was_sent_to_and_for_a_while():
    device = FakeOscoreDevice()
    door = door_for(device)
    request, asked = device.request(GET)
    echo = device.echo(asked, door.open(request, 0))

    elsewhere = door.open(device.request(with_echo(GET, echo), peer=ELSEWHERE)[0], 0)
    late = door.open(device.request(with_echo(GET, echo))[0], 10_000)
    twice = door.open(device.request(with_echo(with_echo(GET, echo), echo))[0], 0)

    assert [found.reason for found in (elsewhere, late, twice)] == ["stale"] * 3


def test_an_echo_that_is_not_sealed_is_none():
    device = FakeOscoreDevice()
    door = door_for(device)
    request, _ = device.request(Plain(coap.GET, [(OSCORE, b"")], b""))

    assert door.open(request, 0).reason == "stale"


def test_challenges_are_sealed_under_numbers_that_never_repeat_and_bounded_in_a_second():
    device = FakeOscoreDevice()
    numbers = granted()
    door = door_for(device, numbers=numbers)
    request, asked = device.request(GET)

    own_numbers = [device.opened(asked, door.open(request, 0).sealed)[1] for _ in range(1000)]

    assert own_numbers == list(range(1000))
    assert refused(door, request, 999) == ("stale", UNAUTHORIZED)
    assert device.opened(asked, door.open(request, 1000).sealed)[1] == 1000


def test_without_a_number_of_our_own_there_is_no_challenge_and_no_notification():
    device = FakeOscoreDevice()

    assert refused(door_for(device, numbers=OwnNumbers()), device.request(GET)[0]) == (
        "busy",
        BUSY,
    )
    door, device = known(numbers=granted(1))
    unsealed = door.open(device.request(OBSERVATION)[0], 0)
    with pytest.raises(BusyError):
        unsealed.seal(NEWS)


# --- devices come and go -----------------------------------------------------------------------


def test_a_revoked_device_is_refused_and_its_context_goes():
    device = FakeOscoreDevice()
    registry = Registry([device.known()])
    contexts = Contexts(registry)
    door = OscoreDoor(contexts, granted(), FakeEchoes())
    device.introduce(door)

    registry.replace([device.known(revoked=True)])

    assert refused(door, device.request(POST)[0]) == ("revoked", UNAUTHORIZED)
    assert len(contexts) == 0


def test_devices_that_are_read_again_keep_their_windows():
    device = FakeOscoreDevice()
    registry = Registry([device.known()])
    door = OscoreDoor(Contexts(registry), granted(), FakeEchoes())
    device.introduce(door)
    request, _ = device.request(POST)
    door.open(request, 0)

    registry.replace([device.known(), FakeOscoreDevice("cellar").known()])

    assert refused(door, request) == ("replayed", UNAUTHORIZED)
    assert isinstance(door.open(device.request(POST)[0], 0), Unsealed)


def test_a_device_with_another_secret_has_another_context():
    device = FakeOscoreDevice()
    registry = Registry([device.known()])
    door = OscoreDoor(Contexts(registry), granted(), FakeEchoes())
    device.introduce(door)

    other = FakeOscoreDevice()
    other.secret = bytes(32)
    registry.replace([other.known()])

    assert refused(door, device.request(POST)[0]) == ("undecryptable", BAD_REQUEST)
