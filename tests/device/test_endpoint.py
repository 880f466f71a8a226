import asyncio

import pytest

from device.clock import Clock
from device.endpoint import Endpoint
from protocol import coap
from protocol.coap import Message
from tests.device.board import FakeBoard

LOST, ARRIVES = False, True
BLOCK2, ETAG = 23, 4


def answered(request, payload, **changed):
    kept = Message(coap.ACK, coap.CONTENT, request.message_id, request.token, [], payload)
    return coap.encode(kept._replace(**changed))


class Rig:
    """An endpoint whose peer is a function, over a wire that follows a script."""

    def __init__(self, peer=None, script=()):
        self.requests = []
        self._peer = peer or (lambda request: [answered(request, request.payload)])
        self.board = FakeBoard(self._handle, script)
        self.endpoint = Endpoint(self.board, Clock(self.board), "g", 5683, 2000)

    def _handle(self, datagram):
        request = coap.decode(datagram)
        if request.type != coap.CON or request.code == coap.EMPTY:
            return []
        self.requests.append(request)
        return self._peer(request)

    async def ask(self, *request, duration_ms=200_000):
        asking = asyncio.create_task(self.endpoint.exchange(*request or (coap.POST, "r")))
        await self.board.advance(duration_ms)
        return asking.result()

    @property
    def udp(self):
        return self.board.sockets[-1]


@pytest.fixture
async def rig():
    rig = Rig()
    yield rig
    await rig.endpoint.close()


async def test_a_request_says_its_path_and_format_and_has_a_token_of_eight_bytes(rig):
    answer = await rig.ask(coap.GET, "home/shed/light", b"", 0, [(6, b""), (60, b"\x10")])

    (request,) = rig.requests
    path = [(11, b"home"), (11, b"shed"), (11, b"light")]
    assert request.options == [(6, b""), *path, (12, b""), (60, b"\x10")]
    assert len(request.token) == 8
    assert answer.code == coap.CONTENT


async def test_requests_take_turns_and_the_sixth_at_once_is_refused_as_busy():
    rig = Rig(script=[LOST])
    asking = [
        asyncio.create_task(rig.endpoint.exchange(coap.POST, "r", bytes((n,)))) for n in range(6)
    ]
    await rig.board.advance(100)

    assert len(rig.udp.sent) == 1
    assert asking[5].done()
    assert asking[5].result() is None
    assert rig.endpoint.reason == "busy"

    await rig.board.advance(10_000)

    answers = [one.result().payload for one in asking[:5]]
    assert answers == [bytes((n,)) for n in range(5)]
    await rig.endpoint.close()


async def test_who_gives_up_waiting_takes_nobodys_turn():
    rig = Rig(script=[LOST])
    first, second, third = [
        asyncio.create_task(rig.endpoint.exchange(coap.POST, "r", bytes((n,)))) for n in range(3)
    ]
    await rig.board.advance(10)

    second.cancel()
    first.cancel()
    await rig.board.advance(10)

    assert third.result().payload == b"\x02"
    assert len(rig.requests) == 1
    await rig.endpoint.close()


async def test_an_answer_under_another_token_message_id_or_type_is_none():
    wrong = [
        {"token": b"12345678"},
        {"token": b""},
        {"message_id": 77},
        {"type": coap.RST},
        {"code": coap.POST},
        {"options": [(9999, b"critical")]},
    ]
    rig = Rig(lambda request: [answered(request, b"x", **one) for one in wrong])

    answer = await rig.ask()

    assert answer is None
    assert rig.endpoint.reason == "no-answer"
    await rig.endpoint.close()


async def test_after_an_empty_ack_the_answer_may_come_until_patience_ends():
    rig = Rig(lambda request: [coap.empty(coap.ACK, request.message_id)])
    asking = asyncio.create_task(rig.endpoint.exchange(coap.GET, "time"))
    await rig.board.advance(92_000)
    assert not asking.done()

    late = answered(rig.requests[0], b"late", type=coap.CON, message_id=9)
    rig.udp.deliver(late)
    rig.udp.deliver(late)
    await rig.board.advance(100)

    assert asking.result().payload == b"late"
    assert rig.udp.sent[1:] == [coap.empty(coap.ACK, 9)] * 2
    await rig.endpoint.close()


async def test_many_options_are_not_even_read_where_the_token_is_none_of_ours(rig):
    await rig.ask(coap.GET, "time")
    garbage = rig.endpoint.garbage

    rig.endpoint.handle(rig.udp, b"\x48\x45\x00\x07strange!" + bytes(1100))

    assert rig.endpoint.garbage == garbage + 1
    assert rig.udp.sent[-1] == coap.empty(coap.RST, 7)


async def test_an_answer_over_the_limit_is_cut_there_and_none_once_long_ones_are_expected(rig):
    short = await rig.ask(coap.POST, "r", bytes(1000))
    rig.endpoint.answer_bytes = 1152
    whole = await rig.ask(coap.POST, "r", bytes(1000))

    assert len(short.payload) < 320
    assert len(whole.payload) == 1000


async def test_three_requests_without_an_answer_open_another_socket_which_is_counted():
    rig = Rig(lambda request: [])
    for _ in range(3):
        assert await rig.ask() is None
    assert rig.endpoint.sockets == 1

    await rig.ask()

    assert rig.endpoint.sockets == 2
    assert rig.board.sockets[0].closed
    await rig.endpoint.close()


async def test_in_a_network_that_was_joined_anew_the_name_is_looked_up_anew(rig):
    rig.endpoint.look_up_again()
    await rig.ask()
    await rig.ask()
    rig.endpoint.look_up_again()

    await rig.ask()
    await rig.ask()

    assert rig.endpoint.sockets == 2
    assert rig.board.sockets[0].closed
