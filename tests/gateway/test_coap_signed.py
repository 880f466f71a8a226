"""`POST /r` of devices that sign: kept once their signatures were found to hold, in order."""

import pytest

from gateway.coap.nonces import Nonces
from gateway.coap.signed import MAX_OF_ONE, MAX_WAITING
from gateway.errors import BusyError
from gateway.ledger.batch import ALERT, PACK, Number
from protocol import coap
from protocol.coap import ACK, NON
from protocol.envelope import kid_of
from tests.fakes import SigningDevice
from tests.gateway.posting import (
    RECEIPT_HEAD,
    SHED,
    FakeMembers,
    Post,
    answer,
    empty_ack,
    pack,
    signed_pack,
    told,
    wrapped,
)

CHANGED, UNAUTHORIZED, FORBIDDEN, RATE, BUSY = 0x44, 0x81, 0x83, 0x9D, 0xA3


@pytest.fixture
def roof():
    return SigningDevice("roof")


@pytest.fixture
def post(roof):
    return Post(members=FakeMembers(SHED.known(), roof.known()), room=10_000)


def settle(post):
    """Signatures are checked, and what holds is committed."""
    post.checks.answer()
    post.sequencer.commit()


def codes(sent):
    return [data[1] for data in sent]


def test_a_pack_is_answered_once_it_was_checked_and_kept_and_not_before(post, roof):
    sent = signed_pack(roof, 7)
    post.take(sent)
    before = (post.sent, post.sequencer.waiting)

    post.checks.answer()
    [kept] = post.sequencer.waiting
    checked = post.sent
    post.sequencer.commit()
    [data] = post.sent

    assert (before, checked) == (([], []), [])
    assert kept.draft == (PACK, "roof", coap.decode(sent).payload)
    assert kept.number == Number(roof.kid, 1, 7)
    assert data.startswith(answer(ACK, CHANGED, RECEIPT_HEAD))
    assert told(data, sent, roof).index == 0


def test_a_signature_that_does_not_hold_is_refused_and_takes_nothing_from_the_others(post, roof):
    good, forged = roof.sign(0), bytearray(roof.sign(1))
    forged[-1] ^= 1

    post.take(wrapped_signed(good, 1), wrapped_signed(bytes(forged), 2))
    settle(post)

    assert codes(post.sent) == [UNAUTHORIZED, CHANGED]
    assert (post.count("bad-signature"), post.count("kept")) == (1, 1)
    assert len(post.readings) == 0


def wrapped_signed(body, message_id):
    return wrapped(body, b"\xb1r\x11\x12\xff", message_id=message_id)


def test_packs_with_tags_do_not_wait_for_signatures(post, roof):
    post.take(signed_pack(roof, 0, message_id=1), pack(0, message_id=2))

    [kept] = post.sequencer.waiting

    assert kept.draft.source == "shed"


def test_what_comes_again_while_it_is_checked_is_checked_once(post, roof):
    sent = signed_pack(roof, 0)

    post.take(sent)
    post.take(sent)
    asked = [len(records) for records, _ in post.checks.asked]
    settle(post)

    assert asked == [1]
    assert codes(post.sent) == [CHANGED]


def test_who_waits_for_a_second_hears_that_an_answer_comes(post, roof):
    post.take(signed_pack(roof, 0))

    post.wait(1000)
    heard = post.sent
    settle(post)

    assert heard == [empty_ack()]
    assert codes(data for data, _ in post.sending.confirmed) == [CHANGED]


def test_packs_of_one_device_are_kept_in_their_order(post, roof):
    for turn in range(3):
        post.take(*(signed_pack(roof, 2 * turn + n, message_id=2 * turn + n) for n in range(2)))

    post.checks.answer()

    assert [one.number.sequence for one in post.sequencer.waiting] == [0, 1, 2, 3, 4, 5]


def test_a_repeat_and_a_conflict_are_what_they_are_with_tags(post, roof):
    first = roof.sign(0)
    post.take(wrapped_signed(first, 1))
    settle(post)
    post.heard()

    post.take(wrapped_signed(first, 2))
    settle(post)

    assert (post.count("kept"), post.count("repeat")) == (1, 1)
    assert codes(post.sent) == [CHANGED]


# --- bounds ---------------------------------------------------------------------------------


def test_one_device_cannot_take_the_room_of_all(post, roof):
    other = SigningDevice("porch", key=12)
    post.members.registry.replace([roof.known(), other.known()])

    post.take(*(signed_pack(roof, n, message_id=n) for n in range(MAX_OF_ONE + 1)))
    post.take(signed_pack(other, 0, message_id=1000))
    refused = codes(post.sent)
    settle(post)

    assert refused == [RATE]
    assert post.count("rate") == 1
    assert codes(post.sent) == [CHANGED] * (MAX_OF_ONE + 1)


def test_past_the_room_for_signatures_everybody_hears_busy_and_later_not(post):
    devices = [SigningDevice(f"d{n}", key=n + 1) for n in range(MAX_WAITING // MAX_OF_ONE + 1)]
    post.members.registry.replace([device.known() for device in devices])
    sealed = [device.sign(0) for device in devices]
    for body in sealed[:-1]:  # other bytes each time, or it would be the same that waits
        for n in range(MAX_OF_ONE):
            post.take(wrapped_signed(body[:-2] + n.to_bytes(2, "big"), n))
    full = post.sent

    post.take(wrapped_signed(sealed[-1], 1))
    refused = codes(post.sent)
    post.checks.answer(BusyError("lost"))
    lost = codes(post.sent)
    post.take(wrapped_signed(sealed[-1], 2))
    settle(post)

    assert (full, refused) == ([], [BUSY])
    assert lost == [BUSY] * MAX_WAITING
    assert codes(post.sent) == [CHANGED]


def test_where_nobody_can_check_devices_are_asked_to_come_back(post, roof):
    post.checks.refusal = BusyError("no process")

    post.take(signed_pack(roof, 0, message_id=1), signed_pack(roof, 1, kind=NON, message_id=2))

    assert codes(post.sent) == [BUSY]
    assert len(post.readings) == 0


def test_a_share_is_used_up_only_by_what_its_device_has_signed(roof):
    post = Post(members=FakeMembers(roof.known()), per_s=1)
    forged = roof.sign(0)[:-1] + b"\0"

    post.take(wrapped_signed(forged, 1), wrapped_signed(roof.sign(1), 2))
    post.take(wrapped_signed(roof.sign(2), 3))
    settle(post)

    assert codes(post.sent) == [UNAUTHORIZED, RATE, CHANGED]


def test_of_what_is_kept_after_the_writer_has_filled_up_devices_hear_busy(roof):
    post = Post(members=FakeMembers(roof.known()), room=1)
    post.take(signed_pack(roof, 0, message_id=1), signed_pack(roof, 1, message_id=2))

    post.checks.answer()

    assert codes(post.sent) == [BUSY, BUSY]
    assert len(post.readings) == 0


# --- keys that end --------------------------------------------------------------------------


def test_the_first_pack_under_a_new_key_ends_the_one_before(roof):
    new = roof.known()._replace(succeeds=True)
    old = SHED.known()._replace(name="roof")
    post = Post(members=FakeMembers(old, new))

    post.take(signed_pack(roof, 0, message_id=1), signed_pack(roof, 1, message_id=2))
    before = list(post.members.succeeded)
    settle(post)

    assert before == []
    assert set(post.members.succeeded) == {"roof"}
    post.take(pack(0, message_id=3))
    assert codes(post.sent)[-1] == FORBIDDEN


def test_who_uses_a_nonce_twice_has_given_its_key_away(post, roof):
    post.take(wrapped_signed(roof.sign(0), 1))
    settle(post)
    post.heard()
    roof._signature = same_nonce(roof)

    post.take(wrapped_signed(roof.sign(1), 2))
    post.take(wrapped_signed(roof.sign(2), 3))
    post.checks.answer()
    refused = codes(post.sent)
    alerts = [one.draft for one in post.sequencer.waiting if one.draft.kind == ALERT]
    post.take(wrapped_signed(roof.sign(3), 4))

    assert post.members.revoked == ["roof"]
    assert refused == [FORBIDDEN]  # the first of the two that share it is good by itself
    assert [alert.source for alert in alerts] == ["roof"]
    assert codes(post.sent) == [FORBIDDEN]


def same_nonce(device, nonce=12345):
    """As a board whose entropy and counter both fail."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    known = SigningDevice("x", key=nonce).public_key[:32]  # the x of nonce * G
    r = int.from_bytes(known, "big") % order
    d = device._key.private_numbers().private_value

    def sign(digest):
        s = (int.from_bytes(digest, "big") + r * d) * pow(nonce, -1, order) % order
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def test_the_same_envelope_again_uses_no_nonce_again(post, roof):
    sealed = roof.sign(0)
    for message_id in (1, 2):
        post.take(wrapped_signed(sealed, message_id))
        settle(post)

    assert post.members.revoked == []


def test_nonces_are_remembered_for_a_while_and_not_for_ever():
    nonces, kid = Nonces(per_generation=4), kid_of("roof")
    rs = [n.to_bytes(32, "big") for n in range(9)]

    first = [nonces.is_reused(kid, r, bytes(32)) for r in rs]
    again = nonces.is_reused(kid, rs[-1], b"\x01" * 32)
    same = nonces.is_reused(kid, rs[-1], bytes(32))
    others = nonces.is_reused(kid_of("shed"), rs[-1], b"\x01" * 32)
    long_ago = nonces.is_reused(kid, rs[0], b"\x01" * 32)

    assert not any(first)
    assert (again, same, others, long_ago) == (True, False, False, False)
