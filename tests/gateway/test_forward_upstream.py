"""What a collector, or a proxy in between, says over HTTP, as the worker hears it."""

import asyncio
import json

import httpx2
import pytest

from gateway.errors import ConfigError
from gateway.forward.upstream import Answer, HttpUpstream, UpstreamError

PROBLEM = {"title": "busy", "detail": "later"}


def upstream(*, status=200, headers=None, asked=None, **body):
    """An upstream that gives one answer to everything, and notes what it was asked."""

    def answer(request):
        if asked is not None:
            asked.append(request)
        return httpx2.Response(status, headers=headers, **body)

    return HttpUpstream("http://collector", "secret", 1000, httpx2.MockTransport(answer))


async def heard(upstream) -> UpstreamError:
    with pytest.raises(UpstreamError) as refusal:
        await upstream.push(b"batch")
    await upstream.close()
    return refusal.value


async def test_a_push_is_a_batch_with_the_token_and_the_answer_a_position():
    asked = []
    collector = upstream(json={"next_index": 7, "checkpoint": "note"}, asked=asked)

    answer = await collector.push(b"batch")
    await collector.close()

    (request,) = asked
    assert answer == Answer(7, "note")
    assert (request.method, request.url.path, request.content) == ("POST", "/batches", b"batch")
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/cbor"


async def test_a_position_is_asked_by_origin():
    asked = []
    collector = upstream(json={"next_index": 0, "checkpoint": ""}, asked=asked)

    answer = await collector.position("test.invalid/a&b")
    await collector.close()

    assert answer == Answer(0, "")
    assert asked[0].url.params["origin"] == "test.invalid/a&b"


async def test_the_rotations_that_it_has_seen_are_heard_as_text_and_not_without_end():
    shown = {"next_index": 0, "checkpoint": "", "rotations": ["one", 2, None, "three"]}
    collector, flooding = upstream(json=shown), upstream(json=shown | {"rotations": ["x"] * 999})

    answer, flood = await collector.position("o"), await flooding.position("o")
    await collector.close()
    await flooding.close()

    assert answer == Answer(0, "", ("one", "three"))
    assert len(flood.rotations) == 64


REFUSALS = {
    "a problem": ({"status": 503, "json": PROBLEM}, ("busy", 0, None)),
    "when to come again": (
        {"status": 429, "json": PROBLEM, "headers": {"Retry-After": "7"}},
        ("busy", 7000, None),
    ),
    "a date to come again": (
        {
            "status": 503,
            "json": PROBLEM,
            "headers": {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"},
        },
        ("busy", 0, None),
    ),
    "far too long": (
        {"status": 503, "json": PROBLEM, "headers": {"Retry-After": "9999999"}},
        ("busy", 0, None),
    ),
    "another place": (
        {"status": 409, "json": {"title": "out-of-order", "next_index": 5}},
        ("out-of-order", 0, 5),
    ),
    "a place that is none": (
        {"status": 409, "json": {"title": "out-of-order", "next_index": "5"}},
        ("out-of-order", 0, None),
    ),
    "a proxy's page": ({"status": 502, "html": "<h1>Bad Gateway</h1>"}, ("http-502", 0, None)),
    "a portal's page": ({"status": 200, "html": "<h1>Welcome</h1>"}, ("http-200", 0, None)),
    "a list": ({"status": 200, "json": [1]}, ("http-200", 0, None)),
    "no index": ({"status": 200, "json": {"checkpoint": "x"}}, ("http-200", 0, None)),
    "an index before the first": (
        {"status": 200, "json": {"next_index": -5}},
        ("http-200", 0, None),
    ),
    "a place before the first": (
        {"status": 409, "json": {"title": "out-of-order", "next_index": -1}},
        ("out-of-order", 0, None),
    ),
    "an index that is a bool": (
        {"status": 200, "json": {"next_index": True}},
        ("http-200", 0, None),
    ),
    "an answer without an end": (
        {"status": 200, "content": b" " * 2_000_000},
        ("endless", 0, None),
    ),
    "a reason that is none of ours": (
        {"status": 503, "content": b'{"title": "bu\\ud800sy"}'},
        ("http-503", 0, None),
    ),
    "lists in lists": ({"status": 200, "content": b"[" * 200_000}, ("http-200", 0, None)),
    "elsewhere": ({"status": 301, "headers": {"Location": "/x"}}, ("http-301", 0, None)),
}


@pytest.mark.parametrize(("answer", "told"), REFUSALS.values(), ids=REFUSALS)
async def test_an_answer_that_is_no_acceptance_is_told_by_its_reason(answer, told):
    error = await heard(upstream(**answer))

    assert (error.reason, error.retry_after_ms, error.next_index) == told


@pytest.mark.parametrize("failure", [httpx2.ConnectError, httpx2.ReadTimeout, httpx2.ReadError])
async def test_a_network_that_fails_is_an_upstream_that_is_not_reached(failure):
    def answer(request):
        raise failure("the cable", request=request)

    collector = HttpUpstream("http://collector", "secret", 1000, httpx2.MockTransport(answer))
    error = await heard(collector)

    assert error.reason == "unreachable"
    assert "secret" not in str(error)


@pytest.mark.parametrize("url", ["http://", "ftp://collector", "collector:8090", "http://[::"])
def test_a_url_that_is_none_is_refused_at_the_start(url):
    with pytest.raises(ConfigError, match="the collector's url"):
        HttpUpstream(url, "secret", 1000)


async def test_what_utf_8_cannot_say_is_replaced():
    shown = {"checkpoint": "tallystick rotation v1\ud800", "rotations": ["\udfff"], "cosigned": 7}
    body = json.dumps({"next_index": 0, **shown}).encode()
    collector = upstream(content=body)

    answer = await collector.position("o")
    await collector.close()

    assert answer == Answer(0, "tallystick rotation v1?", ("?",), "")


async def test_an_exchange_that_drips_for_ever_ends():
    async def dripping():
        while True:
            await asyncio.sleep(0.005)
            yield b" "

    def answer(request):
        return httpx2.Response(200, content=dripping())

    collector = HttpUpstream("http://collector", "secret", 10, httpx2.MockTransport(answer))

    assert (await heard(collector)).reason == "unreachable"
