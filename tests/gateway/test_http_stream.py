"""The live stream: every entry once, and resumed exactly where it broke off."""

import asyncio
import json

import pytest
from starlette.requests import Request

from gateway.errors import BadQueryError
from tests.fakes import FakeDevice
from tests.gateway.web import Web

LIMIT_S = 10


@pytest.fixture
def web():
    return Web()


async def opened(web, query="", last_event_id=None):
    """The events of a stream, as they come."""
    headers = [(b"last-event-id", last_event_id.encode())] if last_event_id is not None else []
    scope = {"type": "http", "method": "GET", "query_string": query.encode(), "headers": headers}
    return (await web.events.stream(Request(scope))).body_iterator


async def first(events, count):
    async with asyncio.timeout(LIMIT_S):
        return [await anext(events) for _ in range(count)]


def ids(events):
    return [int(event.id) for event in events]


RESUMED = [
    ("after=-1", None, range(10)),
    ("after=6", None, [7, 8, 9]),
    ("", "6", [7, 8, 9]),
    ("after=1", "6", [7, 8, 9]),
    ("after=-1&source=roof", None, [2, 5, 8]),
    ("source=roof", "2", [5, 8]),
    ("after=-1&kind=alert", None, [9]),
]


@pytest.mark.parametrize(("query", "last_event_id", "indexes"), RESUMED)
async def test_a_stream_begins_exactly_after_what_was_seen(web, query, last_event_id, indexes):
    events = await opened(web, query, last_event_id)

    assert ids(await first(events, len(indexes))) == list(indexes)


async def test_an_event_is_the_entry_and_its_id_the_index(web):
    (event,) = await first(await opened(web, "after=3"), 1)

    assert (event.id, event.event) == ("4", "pack")
    assert json.loads(event.data)["index"] == 4
    assert json.loads(event.data) == (await web.get("/events/4")).json()


def commit(web, *sequences):
    """More packs of the shed, committed and told."""
    web.gateway.commit(*(FakeDevice("shed").submission(n) for n in sequences))
    web.feed.publish(size=web.gateway.writer.size, signed=10)


async def test_without_a_cursor_only_what_is_new_is_shown(web):
    events = await opened(web)
    waiting = asyncio.create_task(first(events, 2))
    await asyncio.sleep(0)

    commit(web, 100, 101)

    assert ids(await waiting) == [10, 11]


async def test_what_arrives_while_streaming_follows_without_a_gap(web):
    events = await opened(web, "after=7&source=shed")

    seen = await first(events, 1)
    for n in range(3):
        waiting = asyncio.create_task(first(events, 1))
        await asyncio.sleep(0)
        commit(web, 100 + n)
        seen += await waiting

    assert ids(seen) == [9, 10, 11, 12]


async def test_more_than_a_page_comes_in_order_and_once(web):
    commit(web, *range(100, 600))

    events = await opened(web, "after=-1")

    assert ids(await first(events, 510)) == list(range(510))


async def test_a_cursor_past_the_end_waits_for_what_is_not_there_yet(web):
    events = await opened(web, last_event_id="11")
    waiting = asyncio.create_task(first(events, 1))
    await asyncio.sleep(0)

    commit(web, 100, 101, 102)

    assert ids(await waiting) == [12]


@pytest.mark.parametrize("last_event_id", ["-1", "", "x", "1e3", "9" * 30])
async def test_a_last_event_id_that_is_none_is_refused(web, last_event_id):
    with pytest.raises(BadQueryError, match="Last-Event-ID"):
        await opened(web, last_event_id=last_event_id)


async def test_a_tampered_entry_is_a_fault_in_its_place(web):
    web.tamper(4, body=b"evil")

    events = await first(await opened(web, "after=2"), 3)

    assert ids(events) == [3, 4, 5]
    assert [event.event for event in events] == ["pack", "integrity", "pack"]
    assert set(json.loads(events[1].data)) == {"index", "kind", "fault"}
