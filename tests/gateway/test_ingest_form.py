"""The envelope and the receipt by position, beside the ones by the decoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest import form
from protocol import envelope, envelope_reader, receipt, sign1_reader
from protocol.envelope import DOWN
from protocol.errors import ProtocolError
from protocol.receipt import Receipt
from tests.fakes import FakeDevice, SigningDevice

SHED = FakeDevice("shed")
KNOWN = SHED.known()
ROOF = SigningDevice("roof")
U32 = st.integers(0, (1 << 32) - 1)
NUMBERS = st.one_of(
    st.integers(0, (1 << 63) - 1),
    st.sampled_from([n + d for n in (24, 1 << 8, 1 << 16, 1 << 32) for d in (-1, 0, 1)]),
)
SIZES = (0, 1, 23, 24, 25, 255, 256, 257, 900)


def has_form(data: bytes, reader=envelope_reader) -> bool:
    try:
        reader.parse(data)
    except ProtocolError:
        return False
    return True


@pytest.mark.parametrize("size", SIZES)
def test_an_envelope_of_any_size_is_split_as_the_decoder_does(size):
    data = SHED.seal_payload(bytes(range(256)) * 3 + bytes(132) if size == 900 else bytes(size), 7)

    parts, parsed = form.split(data), envelope_reader.parse(data)

    assert parts is not None
    assert parts.payload == parsed.payload
    assert (parts.kid, parts.epoch, parts.sequence) == (SHED.kid, 1, 7)
    assert form.is_sealed(parts, KNOWN.up)


@pytest.mark.parametrize("size", SIZES[:-1])
def test_no_prefix_and_no_changed_byte_is_read_where_the_decoder_refuses(size):
    good = SHED.seal_payload(bytes(size))
    wrong = [good[:cut] for cut in range(len(good))] + [good + b"\0"]
    wrong += [
        good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :]
        for at in range(len(good))
        for bit in (1, 2, 4, 8, 16, 32, 64, 128)
    ]

    for data in wrong:
        parts = form.split(data)
        assert (parts is not None) == has_form(data), data.hex()
        assert parts is None or not form.is_sealed(parts, KNOWN.up)


@pytest.mark.parametrize("size", SIZES[:-1])
def test_a_signed_envelope_of_any_size_is_split_as_its_reader_does(size):
    data = ROOF.sign_payload(bytes(size), 7, 3)

    parts, parsed = form.split_signed(data), sign1_reader.parse(data)

    assert parts is not None
    assert (parts.kid, parts.epoch, parts.sequence) == (ROOF.kid, 3, 7)
    assert parts.payload == parsed.payload
    assert form.signature(parts) == parsed.signature
    assert form.signed_digest(parts) == sign1_reader.digest(parsed)
    assert form.split(data) is None


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256])
def test_no_changed_byte_of_a_signed_envelope_is_read_where_its_reader_refuses(size):
    good = ROOF.sign_payload(bytes(size))
    wrong = [good[:cut] for cut in range(len(good))] + [good + b"\0"]
    wrong += [
        good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :]
        for at in range(len(good))
        for bit in (1, 2, 4, 8, 16, 32, 64, 128)
    ]

    for data in wrong:
        assert (form.split_signed(data) is not None) == has_form(data, sign1_reader), data.hex()


def test_both_names_of_the_algorithm_are_read():
    assert form.split_signed(ROOF.sign(0).replace(b"\xa3\x01\x28", b"\xa3\x01\x26", 1))


@given(epoch=U32, sequence=U32)
def test_the_receipt_of_a_signed_envelope_has_a_tag_and_its_number(epoch, sequence):
    parts = form.split_signed(ROOF.sign(sequence, epoch=epoch))
    assert parts is not None

    made = form.receipt(parts, ROOF.known().down, 4, 5)

    key = envelope.direction_key(ROOF.secret, DOWN)
    says = Receipt(4, 5, 0, 0)
    assert made == receipt.seal(key, says, kid=ROOF.kid, epoch=epoch, sequence=sequence)


@given(st.binary(max_size=80))
def test_no_bytes_are_read_where_the_decoder_refuses(data):
    assert (form.split(data) is not None) == has_form(data)


@given(epoch=U32, sequence=U32, index=NUMBERS, time_ms=NUMBERS)
def test_a_receipt_is_the_one_that_the_device_expects(epoch, sequence, index, time_ms):
    parts = form.split(SHED.seal(sequence, epoch=epoch))
    assert parts is not None

    made = form.receipt(parts, KNOWN.down, index, time_ms)

    key = envelope.direction_key(SHED.secret, DOWN)
    says = Receipt(index, time_ms, 0, 0)
    assert made == receipt.seal(key, says, kid=SHED.kid, epoch=epoch, sequence=sequence)
