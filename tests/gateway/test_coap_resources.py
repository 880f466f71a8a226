"""`POST /r` and `GET /time` with real messages and no socket."""

import asyncio

import pytest
from aiocoap import Code

from gateway.coap.requests import (
    ACCEPT,
    CONTENT_FORMAT,
    GET,
    MAX_AGE,
    POST,
    SIZE1,
    uint,
)
from gateway.coap.resources import ReadingsResource, TimeResource
from gateway.coap.signed import Signed
from gateway.config import DiskConfig
from gateway.errors import BusyError, StoreFailedError, StoreFullError
from gateway.feed import Feed
from gateway.registry import Registry
from gateway.sequencer import Sequencer
from gateway.signatures.worker import Checker
from gateway.watch import Watch
from protocol import cbor_reader, envelope, receipt_reader
from protocol.envelope import DOWN
from protocol.errors import BadMacError
from protocol.limits import (
    CONTENT_FORMAT_COSE_MAC0,
    CONTENT_FORMAT_COSE_SIGN1,
    MAX_ENVELOPE_BYTES,
)
from protocol.receipt import Receipt
from tests.fakes import NOW_MS, FakeDevice, FakeGateway, FakeReserve, SigningDevice
from tests.gateway.asking import asked

SHED, CELLAR, STRANGER = FakeDevice("shed"), FakeDevice("cellar"), FakeDevice("stranger")
ROOF = SigningDevice("roof")

SOON = range(5, 8)  # s


class AtOnce:
    """Checks by the real worker's code, in this process."""

    def lane_of(self, kid):
        return 0

    def check(self, lane, records, settle):
        settle([Checker().holds(record) for record in records])


class Door:
    """The resource over a real sequencer; `members` is what keys.sqlite says right now."""

    def __init__(self):
        self.gateway = FakeGateway()
        self.members = [SHED.known(), CELLAR.known(), ROOF.known()]
        self.registry = Registry()
        self.succeeded = []
        metrics = self.gateway.metrics
        watch = Watch(self.gateway.writer, FakeReserve(), DiskConfig(), metrics)
        self.sequencer = Sequencer(
            self.gateway.writer, Feed(), metrics, self.gateway.config, watch, print
        )
        signed = Signed(
            AtOnce(), metrics, revoke=lambda name, why: None, record=self.sequencer.submit
        )
        self.resource = ReadingsResource(
            self, self.sequencer, metrics, signed, time_ms=lambda: NOW_MS, news={}
        )

    async def keep_up(self):
        self.registry.replace(self.members)

    def succeed(self, name):
        self.succeeded.append(name)

    async def post(self, payload, content_format=CONTENT_FORMAT_COSE_MAC0):
        options = [] if content_format is None else [(CONTENT_FORMAT, uint(content_format))]
        async with asyncio.timeout(10):
            return await self.resource.post(asked(POST, "r", payload=payload, options=options))

    def counted(self, outcome):
        return self.gateway.metrics.registry.get_sample_value(
            "tallystick_requests_total", {"door": "coap", "outcome": outcome}
        )


@pytest.fixture
async def door():
    door = Door()
    yield door
    await door.sequencer.stop()


def opened(answer, device, sent):
    key = envelope.direction_key(device.secret, DOWN)
    return Receipt(*receipt_reader.open_sealed(key, answer.payload, sent))


async def test_what_is_kept_is_answered_with_a_receipt_for_that_envelope_and_device(door):
    sent = SHED.seal(4)

    answer = await door.post(sent)

    assert answer.code == Code.CHANGED
    assert answer.number(CONTENT_FORMAT) == CONTENT_FORMAT_COSE_MAC0
    assert opened(answer, SHED, sent) == (0, NOW_MS, 0, 0)
    assert door.gateway.store.read(lambda r: r.last()).body == sent
    with pytest.raises(BadMacError):
        opened(answer, CELLAR, sent)
    with pytest.raises(BadMacError):
        opened(answer, SHED, SHED.seal(5))


async def test_a_repeat_is_answered_as_the_first_was_and_kept_once(door):
    sent = SHED.seal(4)

    first, again = await door.post(sent), await door.post(sent)

    assert first.payload == again.payload
    assert door.gateway.writer.size == 1
    assert (door.counted("kept"), door.counted("repeat")) == (1, 1)


async def test_two_devices_may_use_the_same_number(door):
    answers = [await door.post(SHED.seal(0)), await door.post(CELLAR.seal(0))]

    assert opened(answers[0], SHED, SHED.seal(0)).index == 0
    assert opened(answers[1], CELLAR, CELLAR.seal(0)).index == 1


async def test_what_is_signed_is_kept_and_has_a_receipt_with_a_tag(door):
    sent = ROOF.sign(4)

    answer = await door.post(sent, CONTENT_FORMAT_COSE_SIGN1)

    assert answer.code == Code.CHANGED
    assert answer.number(CONTENT_FORMAT) == CONTENT_FORMAT_COSE_MAC0
    assert opened(answer, ROOF, sent) == (0, NOW_MS, 0, 0)
    assert door.gateway.store.read(lambda r: r.last()).body == sent
    assert door.succeeded == []


async def test_the_first_pack_under_a_new_key_ends_the_one_before(door):
    door.members.append(CELLAR.known()._replace(succeeds=True))

    await door.post(CELLAR.seal(0))

    assert door.succeeded == ["cellar"]


SIGNED_REFUSALS = {
    "a forged signature": (ROOF.sign(0)[:-1] + b"\0", 18, Code.UNAUTHORIZED, "bad-signature"),
    "signed, as with a tag": (
        ROOF.sign(0),
        17,
        Code.UNSUPPORTED_CONTENT_FORMAT,
        "unsupported-format",
    ),
    "with a tag, as signed": (
        SHED.seal(0),
        18,
        Code.UNSUPPORTED_CONTENT_FORMAT,
        "unsupported-format",
    ),
    "garbage": (b"garbage", 18, Code.BAD_REQUEST, "malformed"),
}


@pytest.mark.parametrize(
    ("payload", "content_format", "code", "reason"), SIGNED_REFUSALS.values(), ids=SIGNED_REFUSALS
)
async def test_what_is_not_signed_by_its_device_is_refused(
    door, payload, content_format, code, reason
):
    answer = await door.post(payload, content_format)

    assert (answer.code, answer.payload, door.counted(reason)) == (code, b"", 1)
    assert door.gateway.writer.size == 0


REFUSALS = {
    "garbage": (b"garbage", Code.BAD_REQUEST, "malformed"),
    "too large": (bytes(1025), Code.REQUEST_ENTITY_TOO_LARGE, "too-large"),
    "unknown": (STRANGER.seal(0), Code.UNAUTHORIZED, "unknown-device"),
    "flipped": (SHED.seal(0)[:-1] + b"\0", Code.UNAUTHORIZED, "bad-mac"),
}


@pytest.mark.parametrize(("payload", "code", "reason"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_is_a_code_and_not_a_word_more(door, payload, code, reason):
    answer = await door.post(payload)

    assert (answer.code, answer.payload, answer.number(MAX_AGE)) == (code, b"", None)
    assert answer.number(SIZE1) == (MAX_ENVELOPE_BYTES if reason == "too-large" else None)
    assert door.counted(reason) == 1
    assert door.gateway.writer.size == 0


async def test_other_bytes_under_a_number_that_is_taken_are_a_conflict(door):
    await door.post(SHED.seal(0))

    answer = await door.post(SHED.seal(0, value=99))

    assert (answer.code, answer.payload) == (Code.CONFLICT, b"")


@pytest.mark.parametrize("content_format", [None, 0, 18, 60])
async def test_another_content_format_is_not_read(door, content_format):
    answer = await door.post(SHED.seal(0), content_format)

    assert answer.code == Code.UNSUPPORTED_CONTENT_FORMAT


async def test_a_receipt_in_another_format_is_not_to_be_had_and_nothing_is_kept(door):
    options = [(CONTENT_FORMAT, uint(CONTENT_FORMAT_COSE_MAC0)), (ACCEPT, uint(50))]
    answer = await door.resource.post(asked(POST, "r", payload=SHED.seal(0), options=options))

    assert (answer.code, answer.payload) == (Code.NOT_ACCEPTABLE, b"")
    assert door.gateway.writer.size == 0


async def test_a_device_revoked_between_two_posts_is_refused_at_once(door):
    first = await door.post(SHED.seal(0))
    door.members = [SHED.known(revoked=True), CELLAR.known()]
    second = await door.post(SHED.seal(1))

    assert (first.code, second.code) == (Code.CHANGED, Code.FORBIDDEN)
    assert door.gateway.writer.size == 1


@pytest.mark.parametrize("error", [StoreFullError("full"), StoreFailedError("I/O error")])
async def test_what_could_not_be_kept_is_told_with_when_to_come_again(door, error):
    door.gateway.store.fail_with = error

    answer, again = await door.post(SHED.seal(0)), await door.post(SHED.seal(0))

    assert (answer.code, answer.payload) == (Code.SERVICE_UNAVAILABLE, b"")
    assert answer.number(MAX_AGE) in SOON
    assert opened(again, SHED, SHED.seal(0)).index == 2  # after the fault's two entries


async def test_a_refusal_that_says_for_how_long_is_told_with_that(door):
    def submit(submission):
        error = StoreFullError("full")
        error.retry_after_s = 34
        raise error

    door.sequencer.submit = submit

    answer = await door.post(SHED.seal(0))

    assert answer.code == Code.SERVICE_UNAVAILABLE
    assert 34 <= answer.number(MAX_AGE) <= 51


async def test_a_full_queue_is_told_with_when_to_come_again(door):
    def submit(submission):
        raise BusyError("4096 are waiting")

    door.sequencer.submit = submit
    answer = await door.post(SHED.seal(0))

    assert answer.code == Code.SERVICE_UNAVAILABLE
    assert answer.number(MAX_AGE) in SOON


@pytest.mark.parametrize("now_ms", [NOW_MS, 0])
async def test_the_time_is_small_and_never_cached(now_ms):
    answer = await TimeResource(lambda: now_ms).get(asked(GET, "time"))

    assert cbor_reader.decode(answer.payload) == now_ms
    assert (answer.number(CONTENT_FORMAT), answer.number(MAX_AGE)) == (60, 0)
    assert len(answer.payload) <= 9
