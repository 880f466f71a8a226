"""Resources over CoAP: the real tree behind real options; only the socket is missing."""

import pytest

from gateway.coap.answering import Answering
from gateway.coap.echo import Echoes
from gateway.coap.identity import Identity
from gateway.coap.requests import (
    CHANGED,
    CONTENT,
    CONTENT_FORMAT,
    CREATED,
    DELETE,
    DELETED,
    ETAG,
    GET,
    IF_MATCH,
    IF_NONE_MATCH,
    POST,
    PUT,
    SIZE1,
    TOKEN,
    uint,
)
from gateway.coap.routes import Routes
from gateway.coap.tree import Tree
from gateway.ledger.batch import PACK
from gateway.tokens import Token, Tokens, digest_of
from protocol import resource
from tests.fakes import NOW_MS
from tests.gateway.asking import asked
from tests.gateway.resourceful import LIMITS, Grove

SCOPES = {"reader": "read", "writer": "write", "owner": "admin", "board-7": "ingest"}
DURABLE, MEMORY = "home/a", "tmp/a"


class Door:
    """The paths of resources, asked with a token named like its scope, in plain text or not."""

    def __init__(self, *, plain=True, reading_is_free=False):
        self.grove = Grove()
        tokens = Tokens([Token(name, digest_of(name), scope) for name, scope in SCOPES.items()])
        tree = Tree(self.grove.tree, reading_is_free=reading_is_free)
        self.answering = Answering(
            Routes({}, tree.route),
            Echoes(bytes(32)),
            self.grove.desk.gateway.metrics,
            identify=Identity(tokens, plain=plain, unix_ms=lambda: NOW_MS),
            now_ms=lambda: 0,
        )

    async def ask(self, code, path=DURABLE, payload=b"", *, by="owner", options=(), **more):
        options = [*options, (TOKEN, by.encode())] if by else options
        request = asked(code, path, payload=payload, options=options, **more)
        return await self.answering.answer(request)

    async def text(self, path=DURABLE):
        return (await self.ask(GET, path)).payload


@pytest.fixture
async def door():
    door = Door()
    yield door
    await door.grove.stop()


@pytest.fixture(params=[DURABLE, MEMORY])
def path(request):
    return request.param


async def test_put_creates_then_changes_and_post_appends(door, path):
    answers = [
        await door.ask(PUT, path, b"1"),
        await door.ask(PUT, path, b"2"),
        await door.ask(POST, path, b"3"),
    ]

    assert [answer.code for answer in answers] == [CREATED, CHANGED, CHANGED]
    assert len({answer.first(ETAG) for answer in answers}) == 3
    assert await door.text(path) == b"23"


async def test_the_format_it_was_put_with_comes_back(door, path):
    await door.ask(PUT, path, b"{}", options=[(CONTENT_FORMAT, uint(50))])
    written = await door.ask(GET, path)
    await door.ask(PUT, path, b"x", options=[(CONTENT_FORMAT, b"")])
    text = await door.ask(GET, path)
    await door.ask(PUT, path, b"x")
    unsaid = await door.ask(GET, path)

    formats = [answer.number(CONTENT_FORMAT) for answer in (written, text, unsaid)]
    assert formats == [50, 0, None]


async def test_an_etag_is_the_first_eight_bytes_of_the_entrys_leaf_hash(door):
    written = await door.ask(PUT, DURABLE, b"x")
    found = await door.grove.tree.get(DURABLE)

    assert written.first(ETAG) == found.etag[:8]
    assert (await door.ask(GET)).first(ETAG) == found.etag[:8]


async def test_a_delete_is_done_whether_or_not_there_was_anything(door, path):
    await door.ask(PUT, path, b"x")

    answers = [await door.ask(DELETE, path), await door.ask(DELETE, path)]

    assert [answer.code for answer in answers] == [DELETED, DELETED]
    assert (await door.ask(GET, path)).code == 0x84


# method, conditions before there is anything, after
CONDITIONS = {
    "If-Match of this state": (PUT, lambda etag: [(IF_MATCH, etag)], CHANGED),
    "If-Match of one of several": (
        PUT,
        lambda etag: [(IF_MATCH, b"older"), (IF_MATCH, etag)],
        CHANGED,
    ),
    "If-Match of another state": (PUT, lambda etag: [(IF_MATCH, b"olderone")], 0x8C),
    "If-Match of any": (POST, lambda etag: [(IF_MATCH, b"")], CHANGED),
    "If-None-Match": (PUT, lambda etag: [(IF_NONE_MATCH, b"")], 0x8C),
    "delete, If-Match of this state": (DELETE, lambda etag: [(IF_MATCH, etag)], DELETED),
    "delete, If-Match of another state": (DELETE, lambda etag: [(IF_MATCH, b"olderone")], 0x8C),
}


@pytest.mark.parametrize(("code", "options", "told"), CONDITIONS.values(), ids=CONDITIONS)
async def test_a_change_is_made_if_the_state_is_as_it_says(door, path, code, options, told):
    etag = (await door.ask(PUT, path, b"x")).first(ETAG)

    answer = await door.ask(code, path, b"y", options=options(etag))

    assert answer.code == told
    if told == 0x8C:
        assert await door.text(path) == b"x"


async def test_what_is_not_there_matches_no_condition_but_that_it_is_not(door, path):
    refused = [
        await door.ask(PUT, path, b"x", options=[(IF_MATCH, value)]) for value in (b"", b"olderone")
    ]
    created = await door.ask(PUT, path, b"x", options=[(IF_NONE_MATCH, b"")])

    assert [answer.code for answer in refused] == [0x8C, 0x8C]
    assert created.code == CREATED


# token, method, path -> the class of the answer
WHO = {
    "nobody reads": ("", GET, DURABLE, 0x81),
    "nobody writes": ("", PUT, DURABLE, 0x81),
    "a stranger": ("stranger", GET, DURABLE, 0x81),
    "a reader reads": ("reader", GET, DURABLE, CONTENT),
    "a reader writes": ("reader", PUT, DURABLE, 0x83),
    "a writer writes": ("writer", PUT, DURABLE, CHANGED),
    "a writer writes etc": ("writer", PUT, "etc/a", 0x83),
    "a writer deletes": ("writer", DELETE, DURABLE, 0x83),
    "an owner writes etc": ("owner", PUT, "etc/a", CREATED),
    "an owner deletes": ("owner", DELETE, DURABLE, DELETED),
}


@pytest.mark.parametrize(("token", "code", "path", "told"), WHO.values(), ids=WHO)
async def test_a_token_may_what_its_scope_says(door, token, code, path, told):
    await door.ask(PUT, DURABLE, b"x")

    answer = await door.ask(code, path, b"y", by=token)

    assert answer.code == told


async def test_reading_is_free_where_the_door_is_on_loopback():
    door = Door(reading_is_free=True)
    await door.ask(PUT, DURABLE, b"x")

    answers = [await door.ask(code, by="", local=True) for code in (GET, PUT)]
    await door.grove.stop()

    assert [answer.code for answer in answers] == [CONTENT, 0x81]


async def test_a_token_in_plain_text_is_a_bad_option_unless_the_owner_lets_it():
    door = Door(plain=False)

    plain = await door.ask(PUT, DURABLE, b"x")
    sealed = await door.ask(PUT, DURABLE, b"x", who="board")
    await door.grove.stop()

    assert (plain.code, sealed.code) == (0x82, CREATED)


async def test_a_token_that_is_no_text_is_nobodys(door):
    request = asked(PUT, DURABLE, options=[(TOKEN, b"\xff")])

    assert (await door.answering.answer(request)).code == 0x81


async def test_the_ledger_names_who_made_a_change(door):
    await door.ask(PUT, DURABLE, b"x", by="writer")
    await door.ask(PUT, "home/board/a", b"x", by="", who="board")

    store = door.grove.desk.gateway.store
    entries = store.read(lambda reader: [e for e in reader.entries(0, 9) if e.kind != PACK])
    whos = [resource.decode(entry.kind, entry.body).who for entry in entries]
    assert whos == ["@writer", "board"]


async def test_a_resource_over_its_limit_is_told_with_the_limit(door, path):
    answer = await door.ask(PUT, path, bytes(LIMITS.resource_bytes + 1))

    assert (answer.code, answer.number(SIZE1)) == (0x8D, LIMITS.resource_bytes)


BAD_PATHS = {
    "a slash in a segment": (("home", "a/b"), 0x80),
    "an empty segment": (("home", ""), 0x80),
    "two dots": (("home", ".."), 0x80),
    "a namespace": (("home",), 0x80),
    "no namespace": (("kitchen", "light"), 0x84),
    "nothing": ((), 0x84),
}


@pytest.mark.parametrize(("path", "told"), BAD_PATHS.values(), ids=BAD_PATHS)
async def test_a_path_that_no_resource_has_is_refused(door, path, told):
    request = asked(PUT, "home/a", options=[(TOKEN, b"owner")])._replace(path=path)

    assert (await door.answering.answer(request)).code == told


async def test_a_parameter_of_a_change_is_refused(door):
    assert (await door.ask(PUT, DURABLE, b"x", query="a=1")).code == 0x80
