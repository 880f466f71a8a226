"""The envelope and the receipt by position, beside the ones by the decoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest import form
from protocol import envelope, envelope_reader, receipt
from protocol.envelope import DOWN
from protocol.errors import ProtocolError
from protocol.receipt import Receipt
from tests.fakes import FakeDevice

SHED = FakeDevice("shed")
KNOWN = SHED.known()
U32 = st.integers(0, (1 << 32) - 1)
NUMBERS = st.one_of(
    st.integers(0, (1 << 63) - 1),
    st.sampled_from([n + d for n in (24, 1 << 8, 1 << 16, 1 << 32) for d in (-1, 0, 1)]),
)
SIZES = (0, 1, 23, 24, 25, 255, 256, 257, 900)


def has_form(data: bytes) -> bool:
    try:
        envelope_reader.parse(data)
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
