"""Bodies of any size there and back, against the gateway's own answers; no socket."""

import asyncio

import pytest

from gateway.coap.answering import Answering
from gateway.coap.echo import Echoes
from gateway.coap.observe import Dice, Observers
from gateway.coap.requests import (
    CHANGED,
    CONTENT,
    ECHO,
    ETAG,
    GET,
    OBSERVE,
    PUT,
    URI_PATH,
    Response,
    ordered,
)
from gateway.coap.routes import Route, Routes
from gateway.metrics import Metrics
from protocol.coap import ACK, Message
from tests.gateway.asking import asked
from tools.coap.endpoint import NoAnswerError
from tools.coap.transfer import Transfer

BODY = bytes(range(256)) * 20
PATH = [(URI_PATH, b"thing")]


class Gateway:
    """Answers as the real one does, for one resource; `local` as if asked from its machine."""

    def __init__(self, body=BODY, *, local=True, max_bytes=1 << 20):
        self.body = body
        self.local = local
        self.requests = []
        self.versions = 0
        self.before_get = lambda: None
        route = Route(
            {GET: self._get, PUT: self._put},
            max_body_bytes=max_bytes,
            watch=lambda request, changed: lambda: None,
        )
        self.answering = Answering(
            Routes({("thing",): route}),
            Echoes(bytes(32)),
            Metrics(),
            identify=lambda request: request,
            now_ms=lambda: 0,
        )
        dice = Dice(lambda: 1, lambda: 0.0)
        self.answering.observers = Observers(lambda: None, dice, failed=[].append)

    def ask(self, code, options, payload, token):
        self.requests.append(options)
        kept = [option for option in options if option[0] != URI_PATH]
        request = asked(code, "thing", options=kept, payload=payload, token=token, local=self.local)
        answer = asyncio.run(self.answering.answer(request))
        return Message(ACK, answer.code, 1, token, ordered(answer.options), answer.payload)

    def change(self, body):
        self.body = body
        self.versions += 1

    async def _get(self, request):
        self.before_get()
        return Response(CONTENT, [(ETAG, self.versions.to_bytes(8, "big"))], self.body)

    async def _put(self, request):
        self.change(request.payload)
        return Response(CHANGED)


class Seen(list):
    """What a bar would show."""

    def __call__(self, done, total):
        self.append((done, total))


def transfer(gateway, exponent=None, progress=lambda done, total: None):
    return Transfer(gateway.ask, exponent, progress)


@pytest.mark.parametrize("exponent", [None, *range(7)])
@pytest.mark.parametrize("size", [0, 1, 16, 17, 1024, 1025, 5000])
def test_a_body_comes_and_goes_whole_in_blocks_of_every_size(size, exponent):
    gateway = Gateway(b"")

    sent = transfer(gateway, exponent).send(PUT, PATH, BODY[:size])
    fetched = transfer(gateway, exponent).fetch(PATH)

    assert (sent.code, fetched.code) == (CHANGED, CONTENT)
    assert gateway.body == fetched.payload == BODY[:size]


def test_a_bar_is_told_how_much_is_done_and_of_how_many():
    gateway, up, down = Gateway(b""), Seen(), Seen()

    transfer(gateway, progress=up).send(PUT, PATH, BODY[:2500])
    transfer(gateway, progress=down).fetch(PATH)

    assert up == [(1024, 2500), (2048, 2500), (2500, 2500)]
    assert down == [(1024, 2500), (2048, 2500)]


def test_whoever_is_strange_to_the_gateway_brings_its_echo_and_gets_large_blocks():
    gateway = Gateway(BODY[:2048], local=False)

    fetched = transfer(gateway).fetch(PATH)

    assert fetched.payload == BODY[:2048]
    assert len(gateway.requests) == 3  # a small block, then two large ones with the Echo
    assert all(ECHO in dict(options) for options in gateway.requests[1:])


def test_a_wish_for_small_blocks_is_not_made_larger_by_an_echo():
    gateway = Gateway(BODY[:128], local=False)

    assert transfer(gateway, 2).fetch(PATH).payload == BODY[:128]
    assert len(gateway.requests) == 2


def test_a_resource_that_changes_while_it_is_read_is_read_anew():
    gateway = Gateway(BODY[:2048])
    changes = iter([None, BODY[2048:4096]])
    gateway.before_get = lambda: (body := next(changes, None)) and gateway.change(body)

    assert transfer(gateway).fetch(PATH).payload == BODY[2048:4096]


def test_a_resource_that_always_changes_is_given_up():
    gateway = Gateway(BODY[:2048])
    gateway.before_get = lambda: gateway.change(gateway.body)

    with pytest.raises(NoAnswerError):
        transfer(gateway).fetch(PATH)

    assert len(gateway.requests) < 20


def test_a_body_that_is_refused_on_the_way_ends_there():
    gateway = Gateway(max_bytes=2000)

    answer = transfer(gateway).send(PUT, PATH, BODY)

    assert answer.code == 0x8D
    assert len(gateway.requests) == 1  # Size1 told it all at once


def test_an_observation_keeps_its_number_through_its_blocks_and_is_asked_for_once():
    gateway = Gateway(BODY[:3000])

    answer = transfer(gateway).fetch(PATH, once=[(OBSERVE, b"")], token=b"t")

    assert (answer.payload, answer.option(OBSERVE)) == (BODY[:3000], b"\x01")
    assert [OBSERVE in dict(options) for options in gateway.requests] == [True, False, False]


def test_an_observation_from_a_strange_address_is_asked_for_again_with_the_echo():
    gateway = Gateway(b"on", local=False)

    answer = transfer(gateway).fetch(PATH, once=[(OBSERVE, b"")], token=b"t")

    assert (answer.payload, answer.option(OBSERVE)) == (b"on", b"\x01")


def test_a_refusal_is_the_answer():
    gateway = Gateway()
    strange = [(99, b"")]

    assert transfer(gateway).fetch([*PATH, *strange]).code == 0x82


@pytest.mark.parametrize("block", [b"\x1e", b"\x0f", b"\x00\x00\x00\x00"])
def test_blocks_that_do_not_fit_together_are_no_answer(block):
    def ask(code, options, payload, token):
        return Message(ACK, CONTENT, 1, token, [(23, block)], bytes(100))

    with pytest.raises(NoAnswerError):
        Transfer(ask, None, lambda done, total: None).fetch(PATH)
