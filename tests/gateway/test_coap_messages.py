"""The message layer under aiocoap: executed once, answered in the right kind of message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap import guard
from gateway.coap.generations import LIFETIME_MS
from gateway.coap.messages import EMPTY_ACK_MS, MAX_EXECUTING
from protocol import coap
from protocol.coap import ACK, CON, GET, NON, POST, Message
from tests.gateway.messaging import (
    ADDRESS,
    CHANGED,
    ID,
    OTHER,
    PEER,
    Bench,
    empty_ack,
    request,
    response,
)

CONTENT, FORBIDDEN = 0x45, 0x83


@pytest.fixture
def bench():
    return Bench()


def test_a_request_reaches_aiocoap_with_its_sender(bench):
    bench.ask(request())

    [asked] = bench.executed
    assert (asked.code, asked.token, asked.opt.uri_path) == (POST, b"\xa5\x5a", ("tmp",))
    assert asked.payload == b"21"
    assert (asked.remote.sockaddr, asked.remote.pktinfo) == (ADDRESS, bytes(20))


def test_the_answer_to_a_con_is_in_its_ack(bench):
    bench.ask(request())

    bench.answer(CHANGED, b"ok", (12, b""))

    assert bench.wire.sent == [(response(ACK, CHANGED, ID, b"ok", [(12, b"")]), PEER)]


def test_the_answer_to_a_non_is_a_non_with_an_id_of_ours(bench):
    bench.ask(request(NON))

    bench.answer(CHANGED, b"ok")

    assert bench.sent == [response(NON, CHANGED, 1000, b"ok")]


def test_an_answer_within_a_second_has_no_empty_ack_before_it(bench):
    bench.ask(request())

    bench.wait(EMPTY_ACK_MS - 1)
    bench.answer()
    bench.wait(1)

    assert bench.sent == [response(ACK, CHANGED, ID)]


def test_a_late_answer_is_a_con_of_its_own_until_it_is_acknowledged(bench):
    bench.ask(request())
    bench.wait(EMPTY_ACK_MS)
    bench.answer(CHANGED, b"ok")
    late = response(CON, CHANGED, 1000, b"ok")
    first = bench.sent

    bench.wait(2000)
    again = bench.sent
    bench.messages.exchanges.settled(ADDRESS, 1000)
    bench.wait(100_000)

    assert (first, again, bench.sent) == ([empty_ack(), late], [late], [])


def test_a_late_answer_to_a_non_is_a_non_and_nothing_announces_it(bench):
    bench.ask(request(NON))

    bench.wait(10 * EMPTY_ACK_MS)
    bench.answer(CONTENT)
    bench.wait(100_000)

    assert bench.sent == [response(NON, CONTENT, 1000)]


@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_an_answer_that_is_not_wanted_is_not_sent(bench, kind):
    bench.ask(request(kind))
    bench.answer(CHANGED, b"ok", no_response=2)
    first = bench.sent

    bench.ask(request(kind))

    assert (first, bench.sent) == (([empty_ack()], [empty_ack()]) if kind == CON else ([], []))
    assert len(bench.executed) == 1


def test_no_response_is_no_option_of_an_answer_that_is_wanted(bench):
    bench.ask(request())

    bench.answer(CHANGED, b"ok", no_response=0)

    assert bench.sent == [response(ACK, CHANGED, ID, b"ok")]


def test_a_token_that_is_used_again_stands_for_the_new_request(bench):
    bench.ask(request(message_id=1))

    bench.ask(request(message_id=2))
    acknowledged = bench.sent
    bench.answer(CHANGED, b"new", request=1)
    bench.answer(CHANGED, b"old", request=0)

    assert acknowledged == [empty_ack(1)]
    assert bench.sent == [response(ACK, CHANGED, 2, b"new")]


def test_an_answer_by_the_short_way_takes_nothing_from_who_has_its_token_now(bench):
    taken = []
    bench.messages.attach(bench.executed.append, lambda message, peer: not taken.append(message))
    bench.ask(request(message_id=1))
    bench.ask(request(message_id=2))
    first = bench.sent

    bench.messages.answer(taken[0], PEER, bytes((CHANGED,)))
    bench.messages.answer(taken[1], PEER, bytes((CHANGED,)) + b"\xffnew")

    assert (first, bench.executed) == ([empty_ack(1)], [])
    assert bench.sent == [response(ACK, CHANGED, 2, b"new")]


def test_the_same_token_of_two_peers_stands_for_two_requests(bench):
    bench.ask(request(message_id=1))
    bench.ask(request(message_id=2), OTHER)

    bench.answer(CHANGED, b"one", request=0)
    bench.answer(CHANGED, b"other", request=1)

    expected = [(response(ACK, CHANGED, 1, b"one"), PEER)]
    assert bench.wire.sent == [*expected, (response(ACK, CHANGED, 2, b"other"), OTHER)]


def test_past_its_bound_a_request_is_shed_and_may_come_again(bench):
    for n in range(MAX_EXECUTING):
        bench.ask(request(message_id=n, token=n.to_bytes(2, "big")))

    bench.ask(request(message_id=9999))
    shed = list(bench.wire.shed_requests)
    bench.answer(request=0)
    bench.ask(request(message_id=9999))

    assert [(one.message_id, peer) for one, peer in shed] == [(9999, PEER)]
    assert len(bench.executed) == MAX_EXECUTING + 1


def test_a_request_that_cannot_be_remembered_is_shed_and_no_other_is_forgotten():
    bench = Bench(per_generation=4)
    for n in range(4):
        bench.ask(request(message_id=n))
        bench.answer()

    bench.ask(request(message_id=9999))
    bench.ask(request(message_id=0))

    assert [one.message_id for one, _ in bench.wire.shed_requests] == [9999]
    assert len(bench.executed) == 4


def test_gets_and_refusals_take_no_lasting_place():
    bench = Bench(per_generation=4)

    for n in range(50):
        bench.ask(request(code=GET, message_id=n, payload=b""))
        bench.answer(CONTENT)
        bench.ask(request(message_id=n + 1000))
        bench.answer(FORBIDDEN)

    assert bench.wire.shed_requests == []
    assert len(bench.executed) == 100


def test_what_is_never_answered_is_given_up_and_its_place_is_free(bench):
    bench.ask(request())

    bench.wait(LIFETIME_MS + 1)
    bench.answer(CHANGED, b"too late")

    assert bench.sent == [empty_ack()]
    assert len(bench.messages) == 0


def test_two_requests_are_announced_each_a_second_after_it_came(bench):
    bench.ask(request(message_id=1, token=b"1"))
    bench.wait(600)
    bench.ask(request(message_id=2, token=b"2"))

    bench.wait(400)
    first = bench.sent
    bench.wait(600)

    assert (first, bench.sent) == ([empty_ack(1)], [empty_ack(2)])


async def test_after_it_was_shut_down_no_answer_goes_out(bench):
    bench.ask(request())

    await bench.messages.shutdown()
    bench.answer()

    assert bench.sent == []
    assert not await bench.messages.fill_or_recognize_remote(None)


OPTIONS = st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=12)), max_size=8)


@given(OPTIONS, st.integers(1, 31), st.binary(max_size=8), st.binary(max_size=20))
def test_aiocoap_reads_whatever_the_guard_passes(options, code, token, payload):
    bench = Bench()
    message = Message(CON, code, ID, token, sorted(options, key=lambda one: one[0]), payload)

    ruling = guard.judge(coap.encode(message))
    if isinstance(ruling, guard.Passed):
        bench.messages.request(ruling, PEER)

        [asked] = bench.executed
        assert (asked.code, asked.token, asked.payload) == (code, token, payload)
        assert [int(one.number) for one in asked.opt.option_list()] == [
            number for number, _ in ruling.message.options
        ]
