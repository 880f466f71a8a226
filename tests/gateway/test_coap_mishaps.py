"""Errors that nobody foresaw take nothing from what comes beside or after them."""

import asyncio
from itertools import count

import pytest

from gateway.coap.mishaps import Mishaps
from gateway.coap.reserving import Clock, Reserving
from gateway.metrics import Metrics
from gateway.registry import Registry
from protocol import coap
from protocol.coap import CON, GET, Message
from tests.fakes import NOW_MS
from tests.gateway.doorstep import Bench
from tests.gateway.posting import SHED, STRANGER, Post, answer, empty_ack, pack

BUSY = 0xA3
MAX_AGE_5 = b"\xd1\x01\x05"
UNKNOWN_OPTION = coap.encode(Message(CON, GET, 1, b"", [(99, b"")], b""))


def mishaps(metrics, where):
    return metrics.registry.get_sample_value("tallystick_mishaps_total", {"where": where})


@pytest.fixture
async def bench():
    bench = Bench()
    yield bench
    await bench.endpoint.stop()


async def test_a_datagram_that_fails_takes_nothing_from_the_others_of_its_turn(bench):
    bench.udp.failures = [RuntimeError("a bug")]

    sent = bench.get(UNKNOWN_OPTION, UNKNOWN_OPTION, pack())
    bench.post.sequencer.commit()

    assert [coap.decode(data).code for data in sent] == [0x82]
    assert [coap.decode(data).code for data, _ in bench.udp.sent] == [0x82, 0x44]
    assert mishaps(bench.post.metrics, "datagrams") == 1


async def test_a_tick_that_fails_is_followed_by_others(bench):
    bench.get(pack(0, message_id=1), pack(1, message_id=2))
    bench.now_ms = 1000
    bench.udp.failures = [RuntimeError("a bug")]

    bench.endpoint.tick()
    bench.endpoint.tick()

    assert [data for data, _ in bench.udp.sent] == [empty_ack(2)]
    assert mishaps(bench.post.metrics, "ticks") == 1


async def test_a_change_of_members_that_fails_holds_no_readings_for_ever():
    post = Post()
    post.members.behind, post.members.refusal = True, RuntimeError("a bug")
    post.members.noted.set()

    post.take(pack())
    for _ in range(3):
        await asyncio.sleep(0)
    refused = post.sent
    post.members.behind = False
    post.take(pack())

    assert refused == [answer(coap.ACK, BUSY, MAX_AGE_5)]
    assert len(post.sequencer.waiting) == 1
    assert mishaps(post.metrics, "members") == 1


class BrokenRegistry(Registry):
    """Fails in a way nobody foresaw, for one device."""

    def find(self, kid):
        if kid == STRANGER.kid:
            raise RuntimeError("a bug")
        return super().find(kid)


def test_readings_that_fail_take_nothing_from_the_others_of_their_turn():
    post = Post()
    post.members.registry = BrokenRegistry([SHED.known()])

    post.take(pack(0, message_id=1), pack(0, STRANGER, message_id=2), pack(1, message_id=3))
    refused = post.sent
    post.sequencer.commit()

    assert refused == [answer(coap.ACK, 0xA0, message_id=2)]
    assert [coap.decode(data).message_id for data in post.sent] == [1, 3]
    assert mishaps(post.metrics, "readings") == 1


def test_an_answer_that_fails_leaves_nobody_unheard_for_ever():
    """What was kept is told to who asks again."""
    post = Post()
    post.take(pack(0, message_id=1), pack(1, message_id=2))
    post.sending.failures = [RuntimeError("a bug")]

    with pytest.raises(RuntimeError):
        post.sequencer.commit()
    waiting = len(post.readings)
    post.take(pack(0, message_id=1), pack(1, message_id=2))
    post.sequencer.commit()

    assert waiting == 0
    assert [coap.decode(data).message_id for data in post.sent] == [1, 2]


class BrokenOnce:
    """A file that fails in a way nobody foresaw, once."""

    def __init__(self):
        self.failures = [RuntimeError("a bug")]
        self.reserved = 0

    def read(self):
        return None

    def reserve(self, stop):
        if self.failures and self.reserved:
            raise self.failures.pop()
        self.reserved = stop


async def test_numbers_are_asked_for_again_after_any_failure():
    file = BrokenOnce()
    reserving = Reserving(file, Clock(lambda: NOW_MS, count().__next__, 0), retry_s=0)
    numbers = reserving.open()
    running = asyncio.create_task(reserving.run())

    before = numbers.left
    for _ in range(before):
        numbers.take()
    async with asyncio.timeout(10):
        while not numbers.left:  # noqa: ASYNC110  # nothing else tells
            await asyncio.sleep(0)
    running.cancel()

    assert file.failures == []


def test_the_same_mishap_is_counted_each_time_and_told_once(capsys):
    metrics = Metrics()
    noted = Mishaps(metrics)

    for error in (RuntimeError("a"), RuntimeError("b"), KeyError("c")):
        noted.note("ticks", error)

    said = capsys.readouterr().out
    assert mishaps(metrics, "ticks") == 3
    assert ["('a')" in said, "('b')" in said, "('c')" in said] == [True, False, True]
