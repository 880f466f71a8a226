import pytest

from protocol import envelope_reader, sealed_reader, sign1_reader
from protocol.errors import MalformedError
from tests.fakes import FakeDevice, SigningDevice

TAGGED, SIGNED = FakeDevice("shed").seal(3), SigningDevice("roof").sign(3)


def test_an_envelope_of_either_profile_is_read_as_what_it_is():
    assert sealed_reader.parse(TAGGED) == envelope_reader.parse(TAGGED)
    assert sealed_reader.parse(SIGNED) == sign1_reader.parse(SIGNED)
    assert [sealed_reader.profile_of(data) for data in (TAGGED, SIGNED)] == ["mac", "sig"]


@pytest.mark.parametrize("data", [b"", b"\x84", TAGGED[:-1], SIGNED[:-1], SIGNED + b"\0"])
def test_what_is_neither_is_refused(data):
    with pytest.raises(MalformedError):
        sealed_reader.parse(data)
