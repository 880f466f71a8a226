"""From a request to its answer: what every option makes of it, and what is done once."""

import pytest

from gateway.coap import blocks
from gateway.coap.blocks import Block
from gateway.coap.requests import (
    ACCEPT,
    BLOCK1,
    BLOCK2,
    CONTENT,
    CONTENT_FORMAT,
    CREATED,
    DELETE,
    ETAG,
    GET,
    IF_MATCH,
    IF_NONE_MATCH,
    MAX_AGE,
    POST,
    PUT,
    SIZE1,
    URI_HOST,
    Response,
    uint,
)
from gateway.errors import BusyError, ForbiddenError
from protocol import cbor_reader
from tests.gateway.coap_door import BODY, ETAG_NOW, LIMIT, Door


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
    assert cbor_reader.decode(known.payload) == {-1: "not-found", -2: "nothing has this path"}


@pytest.mark.parametrize("asker", [{"local": True}, {"who": "board"}], ids=["here", "known"])
@pytest.mark.parametrize(
    ("code", "more", "answered"),
    [
        (GET, {}, 0x85),
        (POST, {"options": [(IF_MATCH, b"1")]}, 0x82),
        (POST, {"options": [(BLOCK1, b"\x0e")], "payload": bytes(2000)}, 0x8D),
        (POST, {"query": "x"}, 0x80),
    ],
    ids=["method", "option", "too large", "query"],
)
async def test_a_path_without_words_has_none_for_anybody(door, asker, code, more, answered):
    answer = await door.ask(code, "quiet", **more, **asker)

    assert (answer.code, answer.payload, answer.first(CONTENT_FORMAT)) == (answered, b"", None)


async def test_each_answer_is_counted_by_method_and_class(door):
    for code in (GET, PUT, DELETE, 6, 31):
        await door.ask(code, local=True)
    await door.ask(GET, "nothing")
    await door.ask(GET, "broken")
    await door.observe(local=True)
    await door.observe(register=False, local=True)

    assert door.answers() == {
        ("get", "2.xx"): 2,
        ("get", "4.xx"): 1,
        ("get", "5.xx"): 1,
        ("put", "2.xx"): 1,
        ("delete", "2.xx"): 1,
        ("other", "4.xx"): 2,
        ("observe", "2.xx"): 1,
    }


async def test_a_bug_of_ours_is_counted_and_told_without_a_word(door):
    answer = await door.ask(GET, "broken", local=True)

    assert answer == Response(0xA0)
    assert door.counted("failed") == 1


async def test_waiting_is_told_for_as_long_as_it_takes(door):
    door.refuses = BusyError("full")
    door.refuses.retry_after_s = 300

    answers = [await door.ask(GET, token=bytes([n])) for n in range(100)]
    waits_s = {answer.number(MAX_AGE) for answer in answers}

    assert {answer.code for answer in answers} == {0xA3}
    assert min(waits_s) >= 300
    assert max(waits_s) < 450
    assert len(waits_s) > 10  # not all of a fleet at once


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

    assert nobody[0].code == 0xA3
    assert 93 <= nobody[0].number(MAX_AGE) < 140
    assert [answer.code for answer in somebody] == [0x5F, CREATED]
