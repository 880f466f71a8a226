"""`POST /r` that is not kept: why, in which code, how often; and packs that wait for members."""

import asyncio

import pytest

from gateway.errors import BusyError, ConflictError, StoreFailedError, StoreFullError
from gateway.members import Members
from gateway.registry import Registry
from gateway.store.keys import KeyStore
from protocol import coap, senml
from protocol.coap import ACK, CON, NON
from protocol.limits import MAX_ENVELOPE_BYTES
from protocol.senml import Reading
from tests.fakes import NOW_MS
from tests.gateway.posting import (
    CELLAR,
    PEER,
    SHED,
    STRANGER,
    FakeMembers,
    FakeSequencer,
    Post,
    answer,
    empty_ack,
    pack,
    wrapped,
)

BUSY, RATE, CONFLICT = 0xA3, 0x9D, 0x89
MAX_AGE_5 = b"\xd1\x01\x05"
SECOND_MS = 1000


@pytest.fixture
def post():
    return Post()


def _named_after_another():
    readings = [Reading("cellar/temperature", "Cel", 21, NOW_MS)]
    return SHED.seal_payload(senml.encode_pack("cellar/", readings))


# The body, the code, and what follows the token.
REFUSED = {
    "no envelope": (b"\x00", 0x80, b""),
    "one that ends too early": (SHED.seal(0)[:-1], 0x80, b""),
    "a device we do not know": (STRANGER.seal(0), 0x81, b""),
    "a wrong tag": (SHED.seal(0)[:-1] + b"\x00", 0x81, b""),
    "another's readings": (_named_after_another(), 0x80, b""),
    "no pack": (SHED.seal_payload(b"\xff"), 0x80, b""),
    "too large": (bytes(MAX_ENVELOPE_BYTES + 1), 0x8D, b"\xd2\x2f\x04\x00"),  # Size1 1024
}


@pytest.mark.parametrize(("body", "code", "tail"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_a_refusal_is_told_at_once_in_a_code_and_no_words(post, kind, body, code, tail):
    post.take(wrapped(body, kind=kind))

    expected = answer(ACK, code, tail) if kind == CON else answer(NON, code, tail, message_id=1000)
    assert post.sent == [expected]
    assert post.sequencer.waiting == []


def test_a_revoked_device_hears_so():
    post = Post(members=FakeMembers(SHED.known(revoked=True)))

    post.take(pack())

    assert (post.sent, post.count("revoked")) == ([answer(ACK, 0x83)], 1)


def test_one_that_is_refused_takes_nothing_from_the_others_of_its_turn(post):
    post.take(pack(0, message_id=1), wrapped(b"\x00", message_id=2), pack(1, message_id=3))

    post.sequencer.commit()

    codes = {coap.decode(data).message_id: coap.decode(data).code for data in post.sent}
    assert codes == {1: 0x44, 2: 0x80, 3: 0x44}


# What the writer says of a whole group, and how a CON hears it.
FAILURES = {
    "no space": (StoreFullError("full"), BUSY, MAX_AGE_5),
    "a store that failed": (StoreFailedError("broken"), BUSY, MAX_AGE_5),
    "a conflict": (ConflictError("other bytes"), CONFLICT, b""),
}


@pytest.mark.parametrize(("error", "code", "tail"), FAILURES.values(), ids=FAILURES)
def test_what_the_writer_refuses_is_told_to_each(post, error, code, tail):
    post.take(pack(0, message_id=1), pack(1, message_id=2))

    post.sequencer.commit(error)

    assert post.sent == [answer(ACK, code, tail, message_id=n) for n in (1, 2)]
    assert (len(post.readings), post.count(error.reason), post.count("kept")) == (0, 2, 0)


@pytest.mark.parametrize("error", [StoreFullError("full"), BusyError("stopping")])
def test_what_the_writer_does_not_take_is_told_at_once(post, error):
    post.sequencer.refusal = error

    post.take(pack())

    assert (post.sent, len(post.readings)) == ([answer(ACK, BUSY, MAX_AGE_5)], 0)


def test_who_waited_for_a_second_hears_of_a_failure_in_a_con_of_its_own(post):
    post.take(pack())
    post.wait(SECOND_MS)
    post.heard()

    post.sequencer.commit(StoreFailedError("broken"))

    assert post.sending.confirmed == [(answer(CON, BUSY, MAX_AGE_5, message_id=1000), PEER)]


def test_after_a_failure_the_same_pack_may_come_again(post):
    post.take(pack())
    post.sequencer.commit(StoreFailedError("broken"))
    post.heard()

    post.take(pack())
    post.sequencer.commit()

    assert coap.decode(post.sent[0]).code == 0x44


def test_what_has_no_room_before_the_writer_is_told_when_to_come_again():
    post = Post(room=2)

    post.take(*(pack(n, message_id=n) for n in range(4)))

    assert len(post.sequencer.waiting) == 2
    assert post.sent == [answer(ACK, BUSY, MAX_AGE_5, message_id=n) for n in (2, 3)]
    assert post.count("busy") == 2


def test_a_non_without_room_is_dropped():
    post = Post(room=0)

    post.take(pack(kind=NON))

    assert (post.sent, post.count("busy")) == ([], 1)


def test_a_device_over_its_share_is_told_so_at_most_once_a_second():
    post = Post(per_s=2)

    for turn in range(40):  # 2 s
        post.now_ms = turn * 50
        post.take(pack(turn, message_id=turn), pack(turn, CELLAR, kind=NON, message_id=turn))
    told = [data for data in post.sent if coap.decode(data).code == RATE]

    assert told == [answer(ACK, RATE, MAX_AGE_5, message_id=n) for n in (2, 22)]
    assert len(post.sequencer.waiting) == 2 * 5  # two at once, then two a second
    assert post.count("rate") == 80 - 10


def test_one_device_takes_nothing_of_anothers_share():
    post = Post(per_s=2)

    post.take(*(pack(n, message_id=n) for n in range(10)))
    post.take(pack(0, CELLAR))

    assert [one.draft.source for one in post.sequencer.waiting] == ["shed", "shed", "cellar"]


def test_a_forged_tag_takes_nothing_of_a_devices_share():
    post = Post(per_s=2)
    forged = SHED.seal(0)[:-1] + b"\x00"

    post.take(*(wrapped(forged, message_id=n) for n in range(10)))
    post.take(pack())

    assert len(post.sequencer.waiting) == 1


# --- members --------------------------------------------------------------------------------


def test_members_that_cannot_be_read_are_a_reason_to_come_again(post):
    post.members.unreadable = StoreFailedError("keys.sqlite is locked")

    post.take(pack(), pack(1, kind=NON))

    assert post.sent == [answer(ACK, BUSY, MAX_AGE_5)]


async def settled():
    """Lets the task that notes members come to its end."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_packs_wait_until_the_change_of_members_is_in_the_ledger(post):
    post.members.behind = True

    post.take(pack(0, message_id=1))
    post.take(pack(1, message_id=2))
    before = len(post.sequencer.waiting)
    post.members.noted.set()
    await settled()

    assert (before, len(post.sequencer.waiting)) == (0, 2)


async def test_who_waits_for_members_is_told_after_a_second(post):
    post.members.behind = True
    post.take(pack())

    post.wait(SECOND_MS)
    announced = post.sent
    post.members.noted.set()
    await settled()
    post.sequencer.commit()

    assert announced == [empty_ack()]
    assert coap.decode(post.sent[0]).type == CON


async def test_packs_that_wait_for_members_are_bounded():
    post = Post(room=2)
    post.members.behind = True

    post.take(*(pack(n, message_id=n) for n in range(2)))
    post.take(pack(2, message_id=2), pack(3, kind=NON))

    assert post.sent == [answer(ACK, BUSY, MAX_AGE_5, message_id=2)]
    post.members.noted.set()
    await settled()


async def test_a_change_that_cannot_be_kept_refuses_who_waited_and_later_ones_are_taken(post):
    post.members.behind, post.members.refusal = True, StoreFullError("full")
    post.members.noted.set()

    post.take(pack())
    await settled()
    refused = post.sent
    post.members.refusal = None
    post.take(pack())
    await settled()

    assert refused == [answer(ACK, BUSY, MAX_AGE_5)]
    assert len(post.sequencer.waiting) == 1


@pytest.fixture
def keys(tmp_path):
    keys = KeyStore(tmp_path / "keys.sqlite", create=True)
    yield keys
    keys.close()


async def test_a_device_is_enrolled_in_the_ledger_before_its_first_pack(keys):
    sequencer = FakeSequencer()
    post = Post(members=Members(keys, Registry(), sequencer), sequencer=sequencer)

    for device in (SHED, CELLAR):
        keys.add(device.name, device.secret)
    post.take(pack(0, CELLAR))
    await settled()

    kinds = [(one.draft.kind, one.draft.source) for one in post.sequencer.waiting]
    assert kinds == [("enrolled", "shed"), ("enrolled", "cellar"), ("pack", "cellar")]
