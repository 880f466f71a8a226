"""OSCORE after a start of the gateway, and when devices come and go."""

import pytest

from gateway.coap.contexts import Contexts
from gateway.coap.oscore import OscoreDoor, Unsealed
from gateway.coap.own_numbers import OwnNumbers
from gateway.errors import BusyError, RevokedError, UnknownDeviceError
from gateway.registry import Registry
from protocol import coap
from protocol.oscore_parts import OSCORE, Plain
from tests.gateway.protected import (
    BAD_REQUEST,
    BUSY,
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
    with_echo,
)


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
    opened, _ = device.request(with_echo(GET, FakeEchoes().value(device.kid[:7], 0)))
    recorded += [first, opened]
    for request in recorded:
        door.open(request, 0)

    restarted = door_for(device, start=1)

    assert {restarted.open(request, 0).reason for request in recorded} == {"stale"}


def test_an_echo_is_for_the_device_it_was_sent_to_and_for_a_while():
    device, other = FakeOscoreDevice(), FakeOscoreDevice("cellar")
    door = door_for(device, other)
    request, asked = device.request(GET)
    echo = device.echo(asked, door.open(request, 0))

    others = door.open(other.request(with_echo(GET, echo))[0], 0)
    late = door.open(device.request(with_echo(GET, echo))[0], 10_000)
    twice = door.open(device.request(with_echo(with_echo(GET, echo), echo))[0], 0)

    assert [found.reason for found in (others, late, twice)] == ["stale"] * 3


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


def test_who_was_revoked_or_has_another_secret_hears_of_no_change_any_more():
    device = FakeOscoreDevice()
    registry = Registry([device.known()])
    door = OscoreDoor(Contexts(registry), granted(), FakeEchoes())
    device.introduce(door)
    observation = door.open(device.request(OBSERVATION)[0], 0)
    assert observation.seal(NEWS)

    registry.replace([device.known(revoked=True)])
    with pytest.raises(RevokedError):
        observation.seal(NEWS)
    device.secret = bytes(32)
    registry.replace([device.known()])
    with pytest.raises(UnknownDeviceError):
        observation.seal(NEWS)


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
