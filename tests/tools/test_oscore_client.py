"""FILE as an identity: numbers that are on file before they are sent, and the Echo."""

import json

import pytest

from gateway.coap.oscore import Unsealed
from gateway.errors import ConfigError
from protocol import coap
from protocol.oscore_parts import Plain
from tests.fakes import FakeDevice
from tests.gateway.protected import FOUND, GET, again, door_for, outside
from tools.oscore_client import OscoreFile

ECHO = 252


@pytest.fixture
def device():
    return FakeDevice("alice")


@pytest.fixture
def file(device, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"name": "alice", "secret": device.secret.hex()}))
    return path


def test_a_request_is_challenged_repeated_and_answered(file, device):
    door, identity = door_for(device), OscoreFile(file)

    sealed, asked = identity.protect(GET)
    challenge = door.open(outside(sealed), 0).sealed
    opened, _ = identity.unprotect(asked, challenge.options, challenge.payload)
    repeated, asked = identity.protect(again(GET, opened))
    unsealed = door.open(outside(repeated), 0)
    answer = unsealed.seal(FOUND)

    assert isinstance(unsealed, Unsealed)
    assert identity.unprotect(asked, answer.options, answer.payload) == (FOUND, None)


def test_no_number_comes_twice_however_often_it_is_started(file):
    numbers = [OscoreFile(file).protect(GET)[1].number for _ in range(3)]
    identity = OscoreFile(file)
    numbers += [identity.protect(GET)[1].number for _ in range(100)]

    assert sorted(set(numbers)) == numbers


def test_a_number_is_on_file_before_it_is_used(file):
    _, asked = OscoreFile(file).protect(GET)

    on_file = int((file.parent / "config.json.numbers").read_text().split()[0])

    assert on_file > asked.number


def test_what_asks_for_no_echo_is_not_asked_again():
    echo = (ECHO, b"echo")

    assert again(GET, FOUND) is None
    assert again(GET, Plain(0x81, [], b"")) is None
    assert again(GET, Plain(coap.CONTENT, [echo], b"")) is None


def test_the_newest_echo_takes_the_place_of_an_older_one():
    plain = Plain(coap.GET, [(11, b"x"), (ECHO, b"old"), (65001, b"token")], b"")

    repeated = again(plain, Plain(0x81, [(ECHO, b"new")], b""))

    assert repeated.options == [(11, b"x"), (ECHO, b"new"), (65001, b"token")]


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        '{"name": "x"}',
        '{"name": "x", "secret": "00"}',
        '{"name": "x", "secret": 7}',
        '{"name": 7, "secret": "' + "00" * 32 + '"}',
    ],
)
def test_a_file_that_is_no_devices_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)

    with pytest.raises(ConfigError):
        OscoreFile(tmp_path / "config.json")
