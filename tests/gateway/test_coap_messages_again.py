"""The same message again: it hears what it heard before, and executes nothing twice."""

import pytest

from gateway.coap.bulk import Peer
from gateway.coap.generations import LIFETIME_MS
from gateway.coap.messages import EMPTY_ACK_MS
from protocol import coap
from protocol.coap import ACK, CON, GET, NON, POST, Message
from tests.gateway.messaging import (
    ADDRESS,
    ID,
    OTHER,
    Bench,
    empty_ack,
    request,
    response,
)

PUT, DELETE, FETCH, IPATCH = 3, 4, 5, 7
CREATED, CONTENT, CONTINUE, FORBIDDEN, BUSY = 0x41, 0x45, 0x5F, 0x83, 0xA3


@pytest.fixture
def bench():
    return Bench()


@pytest.mark.parametrize("code", [POST, PUT, DELETE, IPATCH])
@pytest.mark.parametrize("size", [0, 1, 16, 1024])
def test_a_duplicate_hears_the_same_bytes_and_executes_nothing(bench, code, size):
    bench.ask(request(code=code))
    bench.answer(CREATED, bytes(size), (8, b"there"), (12, b"\x11"))
    first = bench.sent

    bench.now_ms = LIFETIME_MS
    bench.ask(request(code=code))

    assert bench.sent == first
    assert len(bench.executed) == 1


def test_a_block_that_was_taken_is_not_taken_twice(bench):
    bench.ask(request(code=PUT))
    bench.answer(CONTINUE, b"", (27, b"\x0e"))
    first = bench.sent

    bench.ask(request(code=PUT))

    assert bench.sent == first
    assert len(bench.executed) == 1


def test_a_duplicate_while_it_is_executed_is_ignored_and_told_once_that_we_work_on_it(bench):
    bench.ask(request())
    bench.ask(request())
    early = bench.sent

    bench.wait(EMPTY_ACK_MS)
    announced = bench.sent
    bench.ask(request())

    assert (early, announced, bench.sent) == ([], [empty_ack()], [empty_ack()])
    assert len(bench.executed) == 1


def test_after_a_late_answer_a_duplicate_hears_the_empty_ack_again(bench):
    bench.ask(request())
    bench.wait(EMPTY_ACK_MS)
    bench.answer()
    bench.wire.sent.clear()

    bench.ask(request())

    assert bench.sent == [empty_ack()]
    assert len(bench.executed) == 1


def test_a_duplicate_of_a_non_is_silent_before_and_after_its_answer(bench):
    bench.ask(request(NON))
    bench.ask(request(NON))
    bench.answer()
    bench.wire.sent.clear()

    bench.ask(request(NON))

    assert (bench.sent, len(bench.executed)) == ([], 1)


# Nothing was changed, so nothing is kept: they are executed again.
AGAIN = {"GET": (GET, CONTENT), "FETCH": (FETCH, CONTENT), "a refusal": (POST, FORBIDDEN)}


@pytest.mark.parametrize(("code", "answer"), AGAIN.values(), ids=AGAIN)
@pytest.mark.parametrize("late", [False, True], ids=["piggybacked", "late"])
def test_what_changed_nothing_is_executed_again(bench, code, answer, late):
    bench.ask(request(code=code, payload=b""))
    bench.wait(EMPTY_ACK_MS if late else 0)
    bench.answer(answer, b"first")
    bench.wire.sent.clear()

    bench.ask(request(code=code, payload=b""))
    bench.answer(answer, b"second")

    assert len(bench.executed) == 2
    assert bench.sent == [response(ACK, answer, ID, b"second")]


def test_a_failure_may_have_changed_something_and_is_not_executed_again(bench):
    bench.ask(request())
    bench.answer(BUSY, b"", (14, b"\x05"))
    first = bench.sent

    bench.ask(request())

    assert bench.sent == first
    assert len(bench.executed) == 1


def test_the_same_id_from_another_peer_or_port_is_another_request(bench):
    bench.ask(request())
    bench.ask(request(), OTHER)
    bench.ask(request(), Peer((ADDRESS[0], 5684, 0, 0), []))

    assert len(bench.executed) == 3


def test_the_same_id_after_its_lifetime_is_another_request(bench):
    bench.ask(request())
    bench.answer()

    bench.wait(3_600_000)
    bench.ask(request(payload=b"22"))

    assert len(bench.executed) == 2


@pytest.mark.parametrize("code", [POST, FETCH])
def test_what_oscore_protects_is_opened_once_and_heard_again_whole(bench, code):
    data = coap.encode(Message(CON, code, ID, b"\xa5\x5a", [(9, b"\x09\x01")], bytes(99)))
    bench.ask(data)
    bench.answer(CONTENT, bytes(1100))
    first = bench.sent

    bench.ask(data)

    assert bench.sent == first
    assert (len(first[0]), len(bench.executed)) == (4 + 2 + 1 + 1100, 1)
