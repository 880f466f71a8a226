import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import asking, cbor, control, envelope, told
from protocol.control import Answer, Command, Question
from protocol.errors import BadMacError, ProtocolError, TooLargeError
from tests.protocol import oracles, strategies

SECRET = bytes(range(32))
KEY = envelope.direction_key(SECRET, envelope.DOWN)
KID = b"kid of 8"
NONCE = b"nonce 12"
ASKED = Question(NONCE, 4, 4, 17, 5, 768)
TOLD = Answer(NONCE, 5, 800, b"}" * 32, [Command(18, "log", "20")], withheld=False)
commands = st.builds(
    Command, strategies.u32, st.text("abc-", min_size=1, max_size=32), st.text("aé", max_size=64)
)


@given(st.builds(Question, st.binary(min_size=8, max_size=8), *[strategies.u32] * 5))
def test_a_question_says_what_the_device_asked(question):
    data = asking.seal_question(KEY, KID, question.nonce, question[1:])

    assert control.kid_of_question(data) == KID
    assert control.open_question(KEY, data) == question


@given(strategies.u32, st.binary(max_size=384), st.lists(commands, max_size=1), st.booleans())
def test_an_answer_says_what_the_gateway_told(version, piece, listed, withheld):
    answer = Answer(NONCE, version, len(piece), piece, listed, withheld)

    data = control.seal_answer(KEY, KID, answer)

    assert told.open_answer(KEY, data, KID, NONCE) == answer[1:]


def test_every_prefix_and_every_changed_byte_is_refused():
    question, answer = (
        asking.seal_question(KEY, KID, NONCE, ASKED[1:]),
        control.seal_answer(KEY, KID, TOLD),
    )

    for damaged in [*strategies.prefixes(question), *strategies.changed_bytes(question)]:
        with pytest.raises(ProtocolError):
            control.open_question(KEY, damaged)
    for damaged in [*strategies.prefixes(answer), *strategies.changed_bytes(answer)]:
        with pytest.raises(ProtocolError):
            told.open_answer(KEY, damaged, KID, NONCE)


@given(st.binary(min_size=8, max_size=8))
def test_an_answer_is_good_for_one_question_only(nonce):
    data = control.seal_answer(KEY, KID, TOLD)

    if nonce != NONCE:
        with pytest.raises(BadMacError):
            told.open_answer(KEY, data, KID, nonce)


def test_what_would_not_fit_one_datagram_is_not_sealed():
    with pytest.raises(TooLargeError):
        control.seal_answer(KEY, KID, TOLD._replace(piece=bytes(500)))


@given(strategies.values | st.dictionaries(st.integers(1, 6), strategies.values, min_size=6))
def test_any_sealed_payload_is_a_question_and_an_answer_or_refused(payload):
    header = oracles.cbor({1: 5, 4: KID})
    sealing = oracles.hkdf(SECRET, b"tallystick/1/down")
    for aad, opened in (
        (b"ask", lambda data: control.open_question(KEY, data)),
        (b"told", lambda data: told.open_answer(KEY, data, KID, NONCE)),
    ):
        data = oracles.mac0(sealing, header, cbor.encode(payload), aad)
        try:
            opened(data)
        except ProtocolError:
            pass


def _answered(payload):
    sealing = oracles.hkdf(SECRET, b"tallystick/1/down")
    return oracles.mac0(sealing, oracles.cbor({1: 5, 4: KID}), payload, b"told")


_HEAD = b"\xa6\x01\x48" + NONCE
_REST = b"\x05\x80\x06\xf4"


@pytest.mark.parametrize(
    "payload",
    [
        _HEAD + b"\x02\x00\x03\x00\x04\x40" + _REST + b"\x00",
        _HEAD + b"\x03\x00\x02\x00\x04\x40" + _REST,
        _HEAD + b"\x02\x18\x05\x03\x00\x04\x40" + _REST,
        _HEAD + b"\x02\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x03\x00\x04\x40" + _REST,
        _HEAD + b"\x02\x00\x03\x00\x04\x40\x05\x81\x83\x01\x62\xc3\x28\x60\x06\xf4",
        _HEAD + b"\x02\x00\x03\x00\x04\x40\x05\x81\x83\x01\x61",
        _HEAD + b"\x02\x00\x03\x19\x01\x80\x04\x59\x01\x7f",
    ],
    ids=["more", "out of order", "not shortest", "64 bits", "not UTF-8", "cut off", "too long"],
)
def test_what_an_answer_says_has_one_spelling(payload):
    with pytest.raises(ProtocolError):
        told.open_answer(KEY, _answered(payload), KID, NONCE)
