import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import envelope, receipt, receipt_reader
from protocol.errors import BadMacError, ProtocolError
from protocol.receipt import Receipt
from tests.protocol import oracles, strategies

SECRET = bytes(range(32))
KEY = envelope.direction_key(SECRET, envelope.DOWN)
KID = b"kid of 8"
SENT = envelope.seal(KEY, "up", KID, epoch=7, sequence=9, payload=b"")
KEPT = Receipt(index=41, time_ms=1_700_000_000_000, config_version=2, commands_waiting=1)


def _sealed():
    return receipt.seal(KEY, KEPT, kid=KID, epoch=7, sequence=9)


@given(st.builds(Receipt, strategies.u63, strategies.u63, strategies.u63, strategies.u63))
def test_a_receipt_says_what_the_gateway_said(kept):
    data = receipt.seal(KEY, kept, kid=KID, epoch=7, sequence=9)

    assert receipt_reader.open_sealed(KEY, data, SENT) == kept
    payload = oracles.cbor(dict(enumerate(kept, 1)))
    assert data == oracles.envelope(SECRET, "down", (KID, 7, 9), payload)


def test_every_prefix_and_every_changed_byte_is_refused():
    data = _sealed()

    for damaged in [*strategies.prefixes(data), *strategies.changed_bytes(data)]:
        with pytest.raises(ProtocolError):
            receipt_reader.open_sealed(KEY, damaged, SENT)


@given(st.binary(min_size=8, max_size=8), strategies.u32, strategies.u32)
def test_a_receipt_is_for_one_envelope_only(kid, epoch, sequence):
    sent = envelope.seal(KEY, "up", kid, epoch=epoch, sequence=sequence, payload=b"")

    if (kid, epoch, sequence) != (KID, 7, 9):
        with pytest.raises(BadMacError):
            receipt_reader.open_sealed(KEY, _sealed(), sent)


@given(strategies.values | st.dictionaries(st.integers(1, 4), strategies.values, min_size=4))
def test_any_sealed_payload_is_a_receipt_or_refused(payload):
    data = oracles.envelope(SECRET, "down", (KID, 7, 9), envelope.cbor.encode(payload))

    try:
        kept = receipt_reader.open_sealed(KEY, data, SENT)
    except ProtocolError:
        return

    assert list(kept) == [payload[label] for label in (1, 2, 3, 4)]


def test_a_receipt_has_four_fields_and_its_lengths_one_spelling():
    whole = _sealed()
    size = whole[29] - 0x40
    longer = whole[30 : 30 + size] + b"\0"
    sealed = envelope.seal(KEY, "down", KID, epoch=7, sequence=9, payload=longer)
    respelled = whole[:29] + bytes((0x58, size)) + whole[30:]

    for data in (sealed, respelled):
        with pytest.raises(ProtocolError):
            receipt_reader.open_sealed(KEY, data, SENT)


def test_news_are_the_last_two_fields_of_a_receipt():
    assert receipt_reader.open_news(b"\xa2\x03\x07\x04\x18\x20") == (7, 32)


def test_news_have_one_spelling_and_no_other_is_read():
    told = b"\xa2\x03\x19\x01\x00\x04\x02"
    longer = [told + b"\0", b"\xa3" + told[1:], b"\xa2\x03\x18\x07\x04\0"]
    wrong = [*strategies.prefixes(told), *longer]

    for data in wrong:
        with pytest.raises(ProtocolError):
            receipt_reader.open_news(data)
