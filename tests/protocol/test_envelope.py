import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, cose, envelope, envelope_reader
from protocol.envelope import DOWN, UP
from protocol.errors import BadMacError, ProtocolError, TooLargeError
from tests.protocol import oracles, strategies

SECRET = bytes(range(32))
KID = b"kid of 8"
kids = st.binary(min_size=8, max_size=8)


def _seal(payload=b"a pack", direction=UP):
    key = envelope.direction_key(SECRET, direction)
    return envelope.seal(key, direction, KID, epoch=7, sequence=9, payload=payload)


def _open(data, direction=UP):
    found = envelope_reader.parse(data)
    envelope_reader.check(found, envelope.direction_key(SECRET, direction), direction)
    return found


@given(kids, strategies.u32, strategies.u32, st.binary(max_size=900), st.sampled_from([UP, DOWN]))
def test_what_is_sealed_is_opened(kid, epoch, sequence, payload, direction):
    key = envelope.direction_key(SECRET, direction)

    data = envelope.seal(key, direction, kid, epoch=epoch, sequence=sequence, payload=payload)

    found = _open(data, direction)
    assert (found.kid, found.epoch, found.sequence, found.payload) == (
        kid,
        epoch,
        sequence,
        payload,
    )
    assert data == oracles.envelope(SECRET, direction, (kid, epoch, sequence), payload)


def test_every_prefix_is_refused():
    for cut in strategies.prefixes(_seal()):
        with pytest.raises(ProtocolError):
            _open(cut)


def test_every_changed_byte_is_refused():
    for changed in strategies.changed_bytes(_seal()):
        with pytest.raises(ProtocolError):
            _open(changed)


def test_every_byte_more_is_refused():
    for more in range(256):
        with pytest.raises(ProtocolError):
            _open(_seal() + bytes((more,)))


@given(st.binary(max_size=1100))
def test_any_bytes_are_refused(data):
    with pytest.raises(ProtocolError):
        _open(data)


@given(strategies.values)
def test_any_header_is_refused(header):
    key = envelope.direction_key(SECRET, UP)
    data = cose.mac0(key, cbor.encode(header), b"", external_aad=b"up")

    with pytest.raises(ProtocolError):
        _open(data)


def test_no_direction_is_taken_for_the_other():
    with pytest.raises(BadMacError):
        _open(_seal(direction=UP), DOWN)
    with pytest.raises(BadMacError):
        _open(_seal(direction=DOWN), UP)


def test_what_does_not_fit_a_datagram_is_not_sealed():
    room = 1024 - len(_seal(bytes(300))) + 300

    assert len(_seal(bytes(room))) == 1024
    with pytest.raises(TooLargeError):
        _seal(bytes(room + 1))


def test_a_kid_names_the_device_and_its_profile():
    assert envelope.kid_of("greenhouse") == envelope.kid_of("greenhouse", "mac")
    assert len({envelope.kid_of("a"), envelope.kid_of("b"), envelope.kid_of("a", "sig")}) == 3
    assert len(envelope.kid_of("a")) == envelope.KID_BYTES
