"""The bad-input table: what is wrong with an envelope, and how that is told."""

import cbor2
import pytest

from gateway.errors import ANSWERS, GatewayError
from gateway.ingest.judge import judge
from gateway.registry import Registry
from protocol import envelope, resolve, senml
from protocol.cbor import Decimal, encode
from protocol.envelope import DOWN, UP
from protocol.errors import ProtocolError
from protocol.senml import Reading
from tests.fakes import NOW_MS, FakeDevice

SHED, REVOKED, STRANGER = FakeDevice("shed"), FakeDevice("revoked"), FakeDevice("stranger")
REGISTRY = Registry([SHED.known(), REVOKED.known(revoked=True)])
GOOD = SHED.seal(7, epoch=3, value=Decimal(215, -1))
UP_KEY = envelope.direction_key(SHED.secret, UP)


def refused(data: bytes) -> tuple[str, str, int]:
    """(reason, CoAP code, HTTP status) of the refusal."""
    with pytest.raises((ProtocolError, GatewayError)) as refusal:
        judge(data, REGISTRY)
    answer = ANSWERS[refusal.value.reason]
    return refusal.value.reason, f"{answer.coap >> 5}.{answer.coap & 31:02}", answer.http


def record(**more: object) -> dict[object, object]:
    return {0: "shed/t", 2: 1} | {int(label[1:]): value for label, value in more.items()}


def packed(payload: object) -> bytes:
    """Sealed with the right key, whatever the payload is."""
    return SHED.seal_payload(cbor2.dumps(payload))


def sealed_as(key=UP_KEY, direction=UP, kid=SHED.kid) -> bytes:
    payload = senml.encode_pack("shed/", [Reading("shed/t", "Cel", 1, NOW_MS)])
    return envelope.seal(key, direction, kid, epoch=1, sequence=1, payload=payload)


def other_algorithm() -> bytes:
    protected, unprotected, payload, tag = cbor2.loads(GOOD)
    header = cbor2.loads(protected) | {1: 4}
    return encode([encode(header), unprotected, payload, tag])


def with_float_inside() -> bytes:
    return cbor2.dumps([[], {}, 1.5])


MALFORMED, UNSUPPORTED = ("malformed", "4.00", 400), ("unsupported", "4.00", 400)
TOO_LARGE, BAD_MAC = ("too-large", "4.13", 413), ("bad-mac", "4.01", 401)
UNKNOWN, GONE = ("unknown-device", "4.01", 401), ("revoked", "4.03", 403)
WRONG_NAME = ("wrong-name", "4.00", 400)

BAD_INPUT = {
    "nothing": (b"", MALFORMED),
    "text": (b"hello", MALFORMED),
    "zeros": (bytes(200), MALFORMED),
    "ones": (b"\xff" * 200, MALFORMED),
    "oversized": (bytes(1025), TOO_LARGE),
    "one byte more": (GOOD + b"\0", MALFORMED),
    "not canonical": (b"\x98\x04" + GOOD[1:], MALFORMED),
    "tagged": (b"\xd1" + GOOD, UNSUPPORTED),
    "indefinite": (b"\x9f" + GOOD[1:] + b"\xff", MALFORMED),
    "another algorithm": (other_algorithm(), UNSUPPORTED),
    "float in the shape": (with_float_inside(), UNSUPPORTED),
    "deep nesting": (b"\x81" * 1000 + b"\0", TOO_LARGE),
    "endless array": (b"\x9b" + b"\xff" * 8, MALFORMED),
    "endless bytes": (b"\x5b" + b"\x7f" * 8, MALFORMED),
    "wrong key": (sealed_as(key=envelope.direction_key(bytes(32), UP)), BAD_MAC),
    "wrong direction": (sealed_as(direction=DOWN), BAD_MAC),
    "a receipt sent back": (
        sealed_as(envelope.direction_key(SHED.secret, DOWN), DOWN),
        BAD_MAC,
    ),
    "flipped payload": (GOOD.replace(b"temperature", b"temperaturf"), BAD_MAC),
    "flipped tag": (GOOD[:-1] + bytes([GOOD[-1] ^ 1]), BAD_MAC),
    "unknown device": (STRANGER.seal(0), UNKNOWN),
    "another's kid": (sealed_as(kid=STRANGER.kid), UNKNOWN),
    "revoked": (REVOKED.seal(0), GONE),
}

# sealed by a device we know: only now are the contents looked at
BAD_PACKS = {
    "empty": (b"", MALFORMED),
    "no array": ({0: "shed/t", 2: 1}, MALFORMED),
    "no records": ([], MALFORMED),
    "NaN": ([record(_2=float("nan"))], UNSUPPORTED),
    "infinity": ([record(_2=float("inf"))], UNSUPPORTED),
    "a float": ([record(_2=21.5)], UNSUPPORTED),
    "a string where a number belongs": ([record(_2="21.5")], MALFORMED),
    "a number where a name belongs": ([record(_0=5)], MALFORMED),
    "a number where a unit belongs": ([record(_1=5)], MALFORMED),
    "a string where a time belongs": ([record(_6="now")], MALFORMED),
    "a truth where a time belongs": ([record(_6=True)], MALFORMED),
    "no value": ([{0: "shed/t"}], MALFORMED),
    "two values": ([record(_3="x")], MALFORMED),
    "null": ([record(_2=None)], MALFORMED),
    "a big number": ([record(_2=1 << 63)], TOO_LARGE),
    "a bignum": ([record(_2=1 << 70)], UNSUPPORTED),
    "an unknown label": ([record(_5=1)], UNSUPPORTED),
    "129 records": ([{0: "a"}] * 129, TOO_LARGE),
    "nested": ([record(_2=[[[[[1]]]]])], TOO_LARGE),
    "an array for a record": ([[1]], MALFORMED),
    "a name of another device": ([record(_0="cellar/t")], WRONG_NAME),
    "a name that only begins alike": ([record(_0="shed2/t")], WRONG_NAME),
    "a bare device name": ([record(_0="shed")], WRONG_NAME),
    "a second name of another": ([record(), record(_0="cellar/t")], WRONG_NAME),
    "a name with a space": ([record(_0="shed/a b")], MALFORMED),
    "no name": ([{2: 1}], MALFORMED),
    "a long name": ([record(_0="shed/" + "x" * 70)], TOO_LARGE),
    "a far time": ([record(_6=1 << 62)], TOO_LARGE),
}


def test_a_good_envelope_is_accepted_with_what_it_says():
    accepted = judge(GOOD, REGISTRY)

    assert accepted.device.name == "shed"
    assert (accepted.parts.kid, accepted.parts.epoch, accepted.parts.sequence) == (SHED.kid, 3, 7)
    assert resolve.decode_pack(accepted.parts.payload) == [
        Reading("shed/temperature", "Cel", Decimal(215, -1), NOW_MS)
    ]


@pytest.mark.parametrize("length", range(len(GOOD)))
def test_an_envelope_cut_at_any_length_is_malformed(length):
    assert refused(GOOD[:length]) == MALFORMED


@pytest.mark.parametrize("position", range(len(GOOD)))
def test_an_envelope_with_any_byte_flipped_is_refused(position):
    data = bytearray(GOOD)
    data[position] ^= 0x01

    assert refused(bytes(data))[1] in ("4.00", "4.01", "4.13")


@pytest.mark.parametrize(("data", "told"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_refused_by_name(data, told):
    assert refused(data) == told


@pytest.mark.parametrize(("pack", "told"), BAD_PACKS.values(), ids=BAD_PACKS)
def test_a_bad_pack_is_refused_by_name_even_from_a_device_we_know(pack, told):
    data = SHED.seal_payload(pack) if isinstance(pack, bytes) else packed(pack)

    assert refused(data) == told


def test_ten_thousand_records_do_not_fit_an_envelope():
    header = encode({1: 5, 4: SHED.kid, 15: {7: bytes(8)}})
    data = encode([header, {}, cbor2.dumps([record()] * 10_000), bytes(32)])

    assert len(data) > 80_000
    assert refused(data) == TOO_LARGE


def test_nothing_is_told_about_contents_that_are_not_authenticated():
    forged = bytearray(packed([record(_2="21.5")]))
    forged[-1] ^= 1

    assert refused(bytes(forged)) == BAD_MAC
