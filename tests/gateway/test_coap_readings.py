"""`POST /r`: each pack judged, kept once, and answered after its commit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.posted import HEAD, posted
from gateway.coap.readings import max_age
from gateway.coap.retrying import retry_s
from gateway.ledger.batch import PACK, Number
from protocol import coap
from protocol.coap import ACK, CON, GET, NON, POST, Message
from tests.fakes import NOW_MS
from tests.gateway.posting import (
    CELLAR,
    ID,
    OTHER,
    PEER,
    RECEIPT_HEAD,
    SHED,
    TOKEN,
    Post,
    answer,
    empty_ack,
    pack,
    told,
    wrapped,
)

CHANGED = 0x44
SECOND_MS = 1000


@pytest.fixture
def post():
    return Post()


def test_a_pack_is_answered_once_it_is_kept_and_not_before(post):
    post.take(pack())
    before = post.sent

    post.sequencer.commit()
    [data] = post.sent

    assert before == []
    assert data.startswith(answer(ACK, CHANGED, RECEIPT_HEAD))
    assert told(data, pack()) == (0, NOW_MS, 0, 0)


def test_what_is_kept_is_the_envelope_as_it_came(post):
    post.take(pack(7, CELLAR))

    [kept] = post.sequencer.waiting
    assert kept.draft == (PACK, "cellar", CELLAR.seal(7))
    assert kept.number == Number(CELLAR.kid, 1, 7)


def test_one_turn_is_one_group_and_each_hears_its_own(post):
    datagrams = [pack(n, device, message_id=n) for n in range(3) for device in (SHED, CELLAR)]

    post.take(*datagrams)
    groups = len(post.sequencer.groups)
    post.sequencer.commit()

    indexes = [
        told(data, asked, device).index
        for data, asked, device in zip(post.sent, datagrams, [SHED, CELLAR] * 3, strict=True)
    ]
    assert (groups, indexes, post.count("kept")) == (1, [0, 1, 2, 3, 4, 5], 6)


def test_an_answer_goes_to_who_asked(post):
    post.take(pack(0), peer=PEER)
    post.take(pack(1), peer=OTHER)

    post.sequencer.commit()

    assert [peer for _, peer in post.sending.sent] == [PEER, OTHER]


@pytest.mark.parametrize("token", [b"", b"t", bytes(8)], ids=len)
def test_tokens_of_every_length_come_back(post, token):
    post.take(pack(token=token))

    post.sequencer.commit()

    assert coap.decode(post.sent[0]).token == token


def test_a_non_is_answered_by_a_non_with_an_id_of_ours(post):
    post.take(pack(kind=NON))

    post.sequencer.commit()

    [data] = post.sent
    assert data.startswith(answer(NON, CHANGED, RECEIPT_HEAD, message_id=1000))


# --- repeats --------------------------------------------------------------------------------


def test_a_copy_of_a_con_hears_the_same_bytes_though_time_has_passed(post):
    post.take(pack())
    post.sequencer.commit()
    first = post.sent

    post.wait(5000)
    post.time_ms += 5000
    post.take(pack())
    post.sequencer.commit()

    assert post.sent == first
    assert (post.count("kept"), post.count("repeat")) == (1, 1)


def test_a_copy_of_a_non_is_silent(post):
    post.take(pack(kind=NON))
    post.sequencer.commit()
    first = post.sent

    post.take(pack(kind=NON))
    post.sequencer.commit()

    assert (len(first), post.sent) == (1, [])


@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_the_same_pack_under_another_message_id_hears_a_receipt_of_now(post, kind):
    post.take(pack(kind=kind))
    post.sequencer.commit()
    post.heard()

    post.time_ms += 5000
    post.take(pack(kind=kind, message_id=ID + 1))
    post.sequencer.commit()

    assert told(post.sent[0], pack()) == (0, NOW_MS + 5000, 0, 0)


def test_the_same_bytes_from_another_peer_are_another_request(post):
    post.take(pack(kind=NON))
    post.sequencer.commit()
    post.heard()

    post.take(pack(kind=NON), peer=OTHER)
    post.sequencer.commit()

    assert len(post.sent) == 1


def test_the_same_message_id_with_another_pack_is_another_request(post):
    post.take(pack(0))
    post.sequencer.commit()
    post.heard()

    post.take(pack(1))
    post.sequencer.commit()

    assert told(post.sent[0], pack(1)).index == 1


def test_an_hour_later_the_same_bytes_are_no_copy(post):
    post.take(pack(kind=NON))
    post.sequencer.commit()
    post.heard()

    post.wait(3_600_000)
    post.take(pack(kind=NON))
    post.sequencer.commit()

    assert len(post.sent) == 1


def test_a_copy_in_the_same_turn_or_before_the_commit_is_one_request(post):
    post.take(pack(), pack())
    post.take(pack())

    waiting = len(post.sequencer.waiting)
    post.sequencer.commit()

    assert (waiting, len(post.sent)) == (1, 1)


# --- a slow commit --------------------------------------------------------------------------


def test_after_a_second_an_empty_ack_says_that_an_answer_comes(post):
    post.take(pack())

    post.wait(SECOND_MS - 1)
    early = post.sent
    post.wait(1)
    announced = post.sent
    post.wait(SECOND_MS)

    assert (early, announced, post.sent) == ([], [empty_ack()], [])


def test_then_the_answer_is_a_con_of_its_own(post):
    post.take(pack())
    post.wait(SECOND_MS)
    post.heard()

    post.sequencer.commit()

    [(data, peer)] = post.sending.confirmed
    assert (peer, post.sending.sent) == (PEER, [])
    assert data.startswith(answer(CON, CHANGED, RECEIPT_HEAD, message_id=1000))


def test_a_copy_while_it_waits_hears_the_empty_ack_once_there_was_one(post):
    post.take(pack())
    post.wait(500)
    post.take(pack())
    early = post.sent

    post.wait(500)
    post.heard()
    post.take(pack())

    assert (early, post.sent) == ([], [empty_ack()])


def test_a_non_is_not_announced(post):
    post.take(pack(kind=NON))

    post.wait(5 * SECOND_MS)
    announced = post.sent
    post.sequencer.commit()

    assert announced == []
    assert coap.decode(post.sent[0]).type == NON


def test_only_who_has_waited_a_second_is_told(post):
    post.take(pack(0, message_id=1))
    post.wait(600)
    post.take(pack(1, message_id=2))

    post.wait(400)

    assert post.sent == [empty_ack(1)]


# --- which datagrams are a device's -----------------------------------------------------------

BODY = b"\x84"
NOT_A_DEVICES = {
    "nothing": b"",
    "a head": pack()[:4],
    "no payload": wrapped(b""),
    "a GET": coap.encode(Message(CON, GET, 1, TOKEN, [(11, b"r"), (12, b"\x11")], BODY)),
    "another path": coap.encode(Message(CON, POST, 1, TOKEN, [(11, b"q"), (12, b"\x11")], BODY)),
    "another format": coap.encode(Message(CON, POST, 1, TOKEN, [(11, b"r"), (12, b"\x13")], BODY)),
    "one option more": coap.encode(
        Message(CON, POST, 1, TOKEN, [(11, b"r"), (12, b"\x11"), (17, b"\x11")], BODY)
    ),
    "in an ACK": coap.encode(Message(ACK, POST, 1, TOKEN, [(11, b"r"), (12, b"\x11")], BODY)),
    "version 2": b"\x82" + wrapped(BODY)[1:],
    "a token of nine bytes": b"\x49" + wrapped(BODY, token=bytes(8))[1:12] + b"\0" + HEAD + BODY,
}


@pytest.mark.parametrize("data", NOT_A_DEVICES.values(), ids=NOT_A_DEVICES)
def test_any_other_spelling_takes_the_long_way(data):
    assert posted(data, PEER, 0) is None


@given(st.sampled_from((CON, NON)), st.binary(max_size=8), st.binary(min_size=1), st.integers(0, 9))
def test_it_is_taken_apart_as_the_codec_does(kind, token, body, message_id):
    data = wrapped(body, kind=kind, token=token, message_id=message_id)

    one, message = posted(data, PEER, 0), coap.decode(data)

    assert (one.kind, one.message_id) == (message.type, message.message_id)
    assert (one.envelope, one.head[4:]) == (message.payload, message.token)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 10), (0.5, 12), (0.999, 14)])
def test_who_is_refused_comes_back_spread_over_half_the_time_more(jitter, seconds):
    assert retry_s(10, jitter) == seconds


@pytest.mark.parametrize("seconds", [0, 1, 255, 256, 70_000])
def test_max_age_is_the_option_as_the_codec_writes_it(seconds):
    value = seconds.to_bytes((seconds.bit_length() + 7) // 8, "big")

    assert max_age(seconds) == coap.encode_body([(14, value)], b"")
