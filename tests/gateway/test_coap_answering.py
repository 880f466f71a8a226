"""From a request to its answer: what every option makes of it, and who is told how much."""

import pytest

from gateway.coap import blocks
from gateway.coap.answering import Answering
from gateway.coap.blocks import Block
from gateway.coap.echo import MAX_UNVERIFIED_BYTES, Echoes
from gateway.coap.observe import Dice, Observers
from gateway.coap.requests import (
    ACCEPT,
    BLOCK1,
    BLOCK2,
    CHANGED,
    CONTENT,
    CONTENT_FORMAT,
    CREATED,
    DELETE,
    DELETED,
    ECHO,
    ETAG,
    GET,
    IF_MATCH,
    IF_NONE_MATCH,
    MAX_AGE,
    OBSERVE,
    POST,
    PUT,
    SIZE1,
    SIZE2,
    URI_HOST,
    Response,
    size_of,
    uint,
)
from gateway.coap.routes import Route, Routes
from gateway.errors import BusyError, ForbiddenError, NotFoundError
from gateway.metrics import Metrics
from protocol import cbor
from tests.gateway.asking import asked, observing

PEER = ("::ffff:192.0.2.1", 5683, 0, 0)
BODY = bytes(range(256)) * 8
ETAG_NOW = b"etag-now"
LIMIT = 1500


class Door:
    """Answers for /thing, which is kept in memory; `/broken` is a bug of ours."""

    def __init__(self):
        self.body = BODY
        self.done = []
        self.changed = []
        self.refuses = None
        self.now_ms = 0
        self.metrics = Metrics()
        thing = Route(
            {GET: self._get, PUT: self._put, POST: self._put, DELETE: self._delete},
            max_body_bytes=LIMIT,
            may=self._may,
            watch=self._watch,
            conditional=True,
        )
        plain = Route({GET: self._get, POST: self._put}, max_body_bytes=LIMIT)
        routes = {("thing",): thing, ("plain",): plain, ("broken",): Route({GET: self._break})}
        self.echoes = Echoes(bytes(32))
        self.answering = Answering(
            Routes(routes),
            self.echoes,
            self.metrics,
            identify=lambda request: request,
            now_ms=lambda: self.now_ms,
        )
        dice = Dice(lambda: 7, lambda: 0.0)
        self.observers = self.answering.observers = Observers(lambda: None, dice)

    async def ask(self, code, path="thing", **more):
        return await self.answering.answer(asked(code, path, **more))

    async def observe(self, register=True, **more):
        return await self.answering.answer(observing(GET, "thing", register, **more))

    def counted(self, outcome):
        return self.metrics.registry.get_sample_value(
            "tallystick_requests_total", {"door": "coap", "outcome": outcome}
        )

    async def _get(self, request):
        if self.body is None:
            raise NotFoundError("there is no thing")
        return Response(CONTENT, [(ETAG, ETAG_NOW), (CONTENT_FORMAT, b"\x32")], self.body)

    async def _put(self, request):
        self.done.append(request.payload)
        return Response(CREATED if request.code == PUT else CHANGED, [(ETAG, ETAG_NOW)])

    async def _delete(self, request):
        return Response(DELETED)

    async def _break(self, request):
        raise RuntimeError("a bug")

    def _may(self, request):
        if self.refuses:
            raise self.refuses

    def _watch(self, request, changed):
        self.changed.append(changed)
        return lambda: self.changed.remove(changed)


@pytest.fixture
def door():
    return Door()


# code, path, options, query -> the answer's code
REFUSED = {
    "no such path": (GET, "nothing", [], "", 0x84),
    "a method it has not": (DELETE, "plain", [], "", 0x85),
    "FETCH": (5, "thing", [], "", 0x85),
    "PATCH": (6, "thing", [], "", 0x85),
    "iPATCH": (7, "thing", [], "", 0x85),
    "a method of another day": (31, "thing", [], "", 0x85),
    "FETCH of what is not there": (5, "nothing", [], "", 0x85),
    "an unknown parameter": (GET, "thing", [], "a=1", 0x80),
    "a critical option nobody knows": (GET, "thing", [(99, b"")], "", 0x82),
    "OSCORE that nobody opened": (GET, "thing", [(9, b"")], "", 0x82),
    "Q-Block2": (GET, "thing", [(31, b"")], "", 0x82),
    "Block1 of a GET": (GET, "thing", [(BLOCK1, b"")], "", 0x82),
    "Block1 of a DELETE": (DELETE, "thing", [(BLOCK1, b"")], "", 0x82),
    "If-None-Match of a GET": (GET, "thing", [(IF_NONE_MATCH, b"")], "", 0x82),
    "If-Match where there are no conditions": (GET, "plain", [(IF_MATCH, b"")], "", 0x82),
    "Accept twice": (GET, "thing", [(ACCEPT, b"\x32"), (ACCEPT, b"\x32")], "", 0x82),
    "Accept of another format": (GET, "thing", [(ACCEPT, b"\x3c")], "", 0x86),
    "Accept 0": (GET, "thing", [(ACCEPT, b"")], "", 0x86),
    "If-Match of another state": (GET, "thing", [(IF_MATCH, b"older")], "", 0x8C),
    "SZX 7": (GET, "thing", [(BLOCK2, b"\x07")], "", 0x80),
    "a block past the end": (GET, "thing", [(BLOCK2, b"\x02\x02")], "", 0x80),
    "a bug of ours": (GET, "broken", [], "", 0xA0),
}


@pytest.mark.parametrize(
    ("code", "path", "options", "query", "told"), REFUSED.values(), ids=REFUSED
)
async def test_a_refusal_is_the_code_of_its_clause(door, code, path, options, query, told):
    answer = await door.ask(code, path, options=options, query=query)

    assert (answer.code, answer.payload) == (told, b"")


SERVED = {
    "nothing said": [],
    "the format it has": [(ACCEPT, b"\x32")],
    "If-Match of this state": [(IF_MATCH, b"older"), (IF_MATCH, ETAG_NOW)],
    "If-Match of any state": [(IF_MATCH, b"")],
    "an ETag of another state": [(ETAG, b"older")],
    "Uri-Host": [(URI_HOST, b"garden")],
    "an elective option nobody knows": [(98, b"abc")],
}


@pytest.mark.parametrize("options", SERVED.values(), ids=SERVED)
async def test_a_representation_is_served_where_the_options_agree(door, options):
    answer = await door.ask(GET, options=options, local=True)

    assert (answer.code, answer.payload) == (CONTENT, BODY[:1024])


async def test_who_has_this_state_already_is_told_that_it_is_valid(door):
    answer = await door.ask(GET, options=[(ETAG, b"older"), (ETAG, ETAG_NOW)])

    assert answer == Response(0x43, [(ETAG, ETAG_NOW)])


async def test_words_are_for_who_is_known_or_here(door):
    stranger = await door.ask(GET, "nothing")
    known = await door.ask(GET, "nothing", who="board")
    here = await door.ask(GET, "nothing", local=True)

    assert (stranger.payload, stranger.first(CONTENT_FORMAT)) == (b"", None)
    assert known == here
    assert known.number(CONTENT_FORMAT) == 257
    assert cbor.decode(known.payload) == {-1: "not-found", -2: "nothing has this path"}


async def test_a_bug_of_ours_is_counted_and_told_without_a_word(door):
    answer = await door.ask(GET, "broken", local=True)

    assert answer == Response(0xA0)
    assert door.counted("failed") == 1


async def test_waiting_is_told_for_as_long_as_it_takes(door):
    door.refuses = BusyError("full")
    door.refuses.retry_after_s = 300

    answer = await door.ask(GET)

    assert (answer.code, answer.number(MAX_AGE)) == (0xA3, 300)


async def upload(door, body, *, exponent=6, numbers=None, **more):
    """The answers to the blocks of a PUT."""
    size = 16 << exponent
    count = -(-len(body) // size)
    answers = []
    for n in range(count) if numbers is None else numbers:
        block = Block(n, n + 1 < count, exponent)
        options = [*more.get("options", ()), (BLOCK1, blocks.encode(block))]
        part = body[n * size : (n + 1) * size]
        answers.append(await door.ask(PUT, **{**more, "options": options, "payload": part}))
    return answers


async def test_a_body_in_blocks_is_done_once_whole_with_its_last(door):
    answers = await upload(door, BODY[:1200], exponent=5)

    assert [answer.code for answer in answers] == [0x5F, 0x5F, CREATED]
    assert [blocks.decode(answer.first(BLOCK1)) for answer in answers] == [
        Block(0, True, 5),
        Block(1, True, 5),
        Block(2, False, 5),
    ]
    assert door.done == [BODY[:1200]]


async def test_a_body_without_its_middle_is_not_done(door):
    answers = await upload(door, BODY[:1200], exponent=5, numbers=[0, 2])

    assert [answer.code for answer in answers] == [0x5F, 0x88]
    assert door.done == []


async def test_a_body_that_says_it_is_too_large_is_refused_at_its_first_block(door):
    (answer,) = await upload(door, BODY, numbers=[0], options=[(SIZE1, uint(LIMIT + 1))])

    assert (answer.code, answer.number(SIZE1)) == (0x8D, LIMIT)


async def test_a_body_that_turns_out_too_large_is_refused_with_the_limit(door):
    answers = await upload(door, BODY)

    assert [answer.code for answer in answers] == [0x5F, 0x8D]
    assert answers[-1].number(SIZE1) == LIMIT
    assert door.done == []


async def test_a_whole_body_over_the_limit_is_refused_with_the_limit(door):
    answer = await door.ask(PUT, payload=bytes(LIMIT + 1))

    assert (answer.code, answer.number(SIZE1), door.done) == (0x8D, LIMIT, [])


async def test_who_may_not_is_refused_before_a_block_is_kept(door):
    door.refuses = ForbiddenError("not for you")

    answers = await upload(door, BODY[:1200], numbers=[0])
    door.refuses = None
    later = await upload(door, BODY[:1200], numbers=[1])

    assert [answer.code for answer in answers + later] == [0x83, 0x88]


async def test_those_who_are_nobody_do_not_take_the_places_of_somebody(door):
    for n in range(200):
        await upload(door, BODY[:1200], numbers=[0], peer=n)

    nobody = await upload(door, BODY[:1200], numbers=[0], peer="late")
    somebody = await upload(door, BODY[:1200], peer="late", who="board")

    assert (nobody[0].code, nobody[0].number(MAX_AGE)) == (0xA3, 93)
    assert [answer.code for answer in somebody] == [0x5F, CREATED]


async def test_an_address_that_may_be_forged_gets_small_blocks_and_an_echo(door):
    answer = await door.ask(GET)

    assert blocks.decode(answer.first(BLOCK2)) == Block(0, True, 2)
    assert answer.number(SIZE2) == len(BODY)
    assert answer.first(ECHO) == door.echoes.value(PEER, 0)
    assert size_of(answer) <= MAX_UNVERIFIED_BYTES


async def test_a_client_that_knows_no_echo_gets_all_of_it_in_small_blocks(door):
    parts = []
    for n in range(len(BODY) // 64):
        answer = await door.ask(GET, options=[(BLOCK2, blocks.encode(Block(n, False, 2)))])
        assert size_of(answer) <= MAX_UNVERIFIED_BYTES
        parts.append(answer.payload)

    assert b"".join(parts) == BODY


async def test_an_echo_brought_back_brings_large_blocks_from_then_on(door):
    echo = (await door.ask(GET)).first(ECHO)

    first = await door.ask(GET, options=[(ECHO, echo)])
    second = await door.ask(GET, options=[(BLOCK2, b"\x16")])
    other = await door.ask(GET, options=[(ECHO, echo)], peer="another")

    assert [len(answer.payload) for answer in (first, second, other)] == [1024, 1024, 64]
    assert first.first(ECHO) is None


async def test_a_large_later_block_of_a_forgettable_address_asks_for_an_echo(door):
    answer = await door.ask(GET, options=[(BLOCK2, b"\x16")])

    assert (answer.code, answer.payload) == (0x81, b"")
    assert answer.first(ECHO) == door.echoes.value(PEER, 0)


async def test_whoever_observes_is_told_with_a_number_that_grows(door):
    first = await door.observe(local=True)
    again = await door.observe(local=True)

    assert again.number(OBSERVE) > first.number(OBSERVE)
    assert len(first.payload) == 1024
    assert len(door.observers) == len(door.changed) == 1


async def test_an_address_that_may_be_forged_observes_nothing_but_is_answered(door):
    answer = await door.observe()

    assert (answer.code, answer.first(OBSERVE)) == (CONTENT, None)
    assert answer.first(ECHO) == door.echoes.value(PEER, 0)
    assert len(door.observers) == 0


async def test_somebody_with_a_name_observes_from_anywhere(door):
    answer = await door.observe(who="board")

    assert answer.first(OBSERVE) is not None


async def test_observe_1_ends_it_and_is_answered(door):
    await door.observe(local=True)

    answer = await door.observe(register=False, local=True)

    assert (answer.code, answer.first(OBSERVE)) == (CONTENT, None)
    assert (len(door.observers), door.changed) == (0, [])


@pytest.mark.parametrize("spoilt", ["gone", "forbidden", "another format", "past the end"])
async def test_an_observation_that_begins_with_a_refusal_is_none(door, spoilt):
    options = {"another format": [(ACCEPT, b"")], "past the end": [(BLOCK2, b"\x07")]}
    door.body = None if spoilt == "gone" else BODY
    door.refuses = ForbiddenError("not for you") if spoilt == "forbidden" else None

    answer = await door.observe(local=True, options=options.get(spoilt, ()))

    assert answer.refused
    assert answer.first(OBSERVE) is None
    assert (len(door.observers), door.changed) == (0, [])


async def test_later_blocks_of_what_is_observed_change_nothing_about_it(door):
    await door.observe(local=True)

    answer = await door.observe(local=True, options=[(BLOCK2, b"\x16")])

    assert (answer.payload, answer.first(OBSERVE)) == (BODY[1024:], None)
    assert len(door.observers) == 1


async def test_what_is_not_observed_by_anyone_is_served_all_the_same(door):
    answer = await door.answering.answer(observing(GET, "plain", local=True))

    assert (answer.code, answer.first(OBSERVE)) == (CONTENT, None)


async def test_observers_of_equal_requests_share_one_reading(door):
    for n in range(5):
        await door.observe(peer=n, local=True)
    await door.observe(peer=5, local=True, options=[(BLOCK2, b"\x02")])

    assert len(door.observers) == 6
    assert len(door.changed) == 2


async def test_a_notification_is_a_first_block_and_ends_when_access_does(door):
    request = observing(GET, "thing", who="board")

    notified = await door.answering.render(request)
    door.refuses = ForbiddenError("not for you")
    refused = await door.answering.render(request)

    assert blocks.decode(notified.first(BLOCK2)) == Block(0, True, 6)
    assert notified.number(SIZE2) == len(BODY)
    assert refused.code == 0x83
