"""Sending and fetching in blocks, held to the gateway's own reading and cutting of blocks."""

import asyncio

import pytest

from device import fetching
from device.clock import Clock
from device.endpoint import Endpoint
from device.fetching import Fetch
from device.resources import ResourceError, Resources
from device.sending import exponent_of
from gateway.coap import blocks
from gateway.coap.assembly import OF_SOMEBODY, Assembly
from gateway.coap.requests import BLOCK1, BLOCK2, CONTINUE, ECHO, ETAG, Request, Response
from gateway.errors import IncompleteError
from protocol import coap
from protocol.coap import Message
from tests.device.board import FakeBoard

BODY = bytes(range(256)) * 20
LOST = False
UNAUTHORIZED, INCOMPLETE, NOT_FOUND = 0x81, 0x88, 0x84


class Peer:
    """Takes bodies and serves `content`, as the gateway does; small ones until it has an Echo."""

    def __init__(self):
        self.content, self.etag = BODY, b"state-01"
        self.bodies = []
        self.requests = []
        self.largest = 6
        self.wants_echo = False
        self._assembly = Assembly(OF_SOMEBODY)
        self._answers = {}

    def handle(self, datagram):
        message = coap.decode(datagram)
        if message.type != coap.CON:
            return []
        if message.message_id not in self._answers:
            self._answers[message.message_id] = self._answer(message)
        return [self._answers[message.message_id]]

    def _answer(self, message):
        request = Request(
            message.code, ("home",), (), message.options, message.payload, "peer", message.token, 99
        )
        self.requests.append(request)
        response = self._get(request) if message.code == coap.GET else self._take(request)
        options = sorted(response.options)
        head = coap.ACK, response.code, message.message_id, message.token
        return coap.encode(Message(*head, options, response.payload))

    def _get(self, request):
        if self.content is None:
            return Response(NOT_FOUND)
        whole = Response(coap.CONTENT, [(ETAG, self.etag)], self.content)
        unknown = self.wants_echo and request.first(ECHO) != b"echo"
        response = blocks.cut(whole, request, 2 if unknown else self.largest)
        return response.with_options((ECHO, b"echo")) if unknown else response

    def _take(self, request):
        block = blocks.asked(request, BLOCK1)
        if block is None:
            self.bodies.append(request.payload)
            return Response(coap.CHANGED)
        try:
            body = self._assembly.add(request, block, max_bytes=1 << 16, now_ms=0)
        except IncompleteError:
            return Response(INCOMPLETE)
        if body is not None:
            self.bodies.append(body)
            return Response(coap.CHANGED, [(BLOCK1, request.first(BLOCK1))])
        told = block._replace(exponent=min(block.exponent, self.largest))
        return Response(CONTINUE, [(BLOCK1, blocks.encode(told))])

    def forget(self):
        self._assembly = Assembly(OF_SOMEBODY)


class Rig:
    def __init__(self, script=()):
        self.peer = Peer()
        self.board = FakeBoard(self.peer.handle, script)
        self.endpoint = Endpoint(self.board, Clock(self.board), "g", 5683, 2000)
        self.file = bytearray()

    async def done(self, asking):
        task = asyncio.create_task(asking)
        await self.board.advance(600_000)
        await self.endpoint.close()
        return task.result()

    def write(self, at, data):
        assert at <= len(self.file)
        self.file[at : at + len(data)] = data

    def fetch(self, *more, **limits):
        return Fetch(self.endpoint, "home", self.write, *more, **limits)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 128, 1000])
async def test_a_payload_over_the_size_of_a_block_arrives_whole(size):
    rig = Rig(script=[LOST, True, LOST])
    rig.endpoint.block_bytes = 64

    answer = await rig.done(rig.endpoint.exchange(coap.POST, "home", BODY[:size], 17))

    assert answer.code == coap.CHANGED
    assert rig.peer.bodies == [BODY[:size]]
    assert max(len(one.payload) for one in rig.peer.requests) <= 64


async def test_a_peer_that_likes_smaller_blocks_gets_them():
    rig = Rig()
    rig.endpoint.block_bytes = 256
    rig.peer.largest = 1

    await rig.done(rig.endpoint.exchange(coap.POST, "home", BODY[:1000]))

    assert rig.peer.bodies == [BODY[:1000]]
    assert {len(one.payload) for one in rig.peer.requests[1:-1]} == {32}


@pytest.mark.parametrize(
    ("forgets", "code"), [((1,), coap.CHANGED), ((1, 3), INCOMPLETE)], ids=["once", "again"]
)
async def test_a_peer_that_has_lost_some_is_sent_the_whole_once_more(forgets, code):
    rig = Rig()
    rig.endpoint.block_bytes = 512
    handle = rig.peer.handle

    def forgetful(datagram):
        if len(rig.peer.requests) in forgets:
            rig.peer.forget()
        return handle(datagram)

    rig.board._peer = forgetful

    answer = await rig.done(rig.endpoint.exchange(coap.POST, "home", BODY[:1000]))

    assert answer.code == code
    assert len(rig.peer.requests) == 4


def test_the_exponent_is_that_of_the_largest_block_that_fits():
    found = [exponent_of(size) for size in (1, 16, 31, 32, 64, 1023, 1024, 4096)]

    assert found == [0, 0, 0, 1, 2, 5, 6, 6]


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 5120])
async def test_what_is_long_is_written_piece_by_piece(size):
    rig = Rig(script=[LOST, True, LOST, True])
    rig.peer.content = BODY[:size]
    one = rig.fetch()

    code = await rig.done(one.run())

    assert code == coap.CONTENT
    assert (bytes(rig.file), one.at, one.etag) == (BODY[:size], size, b"state-01")


async def test_it_goes_on_where_it_was_left_also_between_two_blocks():
    for at in (1, 1024, 1500, 4096, 5120):
        rig = Rig()
        rig.file[:] = BODY[:at]

        code = await rig.done(rig.fetch(at, b"state-01").run())

        assert code == coap.CONTENT
        assert bytes(rig.file) == BODY
        assert len(rig.peer.requests) == 5 - (at - 1) // 1024


async def test_a_network_that_is_gone_leaves_what_was_written_and_goes_on_there():
    rig = Rig(script=[True] * 4 + [LOST] * 5)
    one = rig.fetch()

    codes = [await rig.done(one.run()), one.at, await rig.done(one.run())]

    assert codes == [fetching.NO_ANSWER, 2048, coap.CONTENT]
    assert bytes(rig.file) == BODY
    assert len(rig.peer.requests) == 5


async def test_pieces_of_two_states_are_never_mixed():
    rig = Rig()
    rig.file[:] = BODY[:2048]
    rig.peer.content, rig.peer.etag = BODY[::-1], b"state-02"
    one = rig.fetch(2048, b"state-01")

    codes = [await rig.done(one.run()), await rig.done(one.run())]

    assert codes == [fetching.CHANGED_MEANWHILE, coap.CONTENT]
    assert bytes(rig.file) == BODY[::-1]


async def test_a_stranger_proves_with_an_echo_that_it_is_real_and_gets_large_blocks():
    rig = Rig()
    rig.peer.wants_echo = True

    code = await rig.done(rig.fetch().run())

    assert code == coap.CONTENT
    assert bytes(rig.file) == BODY
    assert len(rig.peer.requests) == 1 + 5


async def test_a_peer_that_only_has_small_blocks_is_asked_for_those():
    rig = Rig()
    rig.peer.largest = 3

    code = await rig.done(rig.fetch().run())

    assert code == coap.CONTENT
    assert bytes(rig.file) == BODY


async def test_what_is_too_long_is_not_written_beyond_the_limit():
    rig = Rig()

    code = await rig.done(rig.fetch(most_bytes=3000).run())

    assert code == fetching.TOO_LARGE
    assert len(rig.file) == 2048


@pytest.mark.parametrize(
    "wrong",
    [
        {"options": [(BLOCK2, b"\x5e")]},
        {"options": [(BLOCK2, b"\x0e")], "payload": b"short"},
        {"options": [(BLOCK2, b"\x0f")], "payload": bytes(1024)},
    ],
    ids=["another block", "a short block", "a reserved size"],
)
async def test_a_block_that_does_not_fit_is_not_written(wrong):
    rig = Rig()
    handle = rig.peer.handle
    rig.board._peer = lambda data: [
        coap.encode(coap.decode(one)._replace(**wrong)) for one in handle(data)
    ]

    code = await rig.done(rig.fetch().run())

    assert code == fetching.NO_ANSWER
    assert rig.file == b""


async def test_resources_are_got_put_and_refused_by_reason():
    rig = Rig()
    resources = Resources(rig.endpoint)

    assert await rig.done(resources.get("home", 8192)) == BODY
    await rig.done(resources.put("home", b"on"))
    await rig.done(resources.post("home", b"more"))
    await rig.done(resources.delete("home"))
    rig.peer.content = None
    with pytest.raises(ResourceError, match=r"4\.04"):
        await rig.done(resources.get("home"))
    rig.board._peer = lambda data: []
    with pytest.raises(ResourceError, match="no-answer"):
        await rig.done(resources.put("home", b"on"))

    assert rig.peer.bodies == [b"on", b"more", b""]
    assert [one.code for one in rig.peer.requests[-4:]] == [3, 2, 4, 1]
