"""What a witness, or whoever answers in its place, says over HTTP."""

import asyncio

import httpx2
import pytest

from gateway.anchor.client import HttpWitness, Reply, WitnessError
from gateway.errors import ConfigError
from protocol.witnessing import CONFLICT, COSIGN, FORKED, Request

ASKED = Request(3, [bytes(32)], "note")


def witness(answer, timeout_ms=1000, url="http://witness/w"):
    return HttpWitness(url, timeout_ms, httpx2.MockTransport(answer))


def always(status, text="", **headers):
    return lambda request: httpx2.Response(status, text=text, headers=headers)


@pytest.mark.parametrize("url", ["http://witness/w", "http://witness/w/"])
async def test_a_request_goes_to_the_submission_prefix(url):
    seen = []

    def answer(request):
        seen.append((request.method, request.url.path, request.content))
        return httpx2.Response(200, text="\u2014 line\n")

    client = witness(answer, url=url)
    reply = await client.add(ASKED)
    await client.close()

    assert reply == Reply(COSIGN, lines="\u2014 line\n")
    assert seen == [("POST", "/w/add-checkpoint", b"old 3\n" + b"A" * 43 + b"=\n\nnote")]


async def test_what_it_remembers_is_asked_by_the_hash_of_the_origin():
    seen = []

    def answer(request):
        seen.append((request.method, request.url.path))
        return httpx2.Response(200, text="note")

    assert await witness(answer).latest("a") == "note"
    hashed = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert seen == [("GET", f"/w/{hashed}/checkpoint")]
    assert await witness(always(404)).latest("a") == ""


REPLIES = {
    "another size": (always(409, "17\n"), Reply(CONFLICT, size=17)),
    "another size without a line end": (always(409, "17"), Reply(CONFLICT, size=17)),
    "nothing cosigned": (always(409, "0\n"), Reply(CONFLICT, size=0)),
    "no continuation": (always(422), Reply(FORKED)),
}


@pytest.mark.parametrize(("answer", "reply"), REPLIES.values(), ids=REPLIES)
async def test_a_refusal_of_the_standard_is_a_reply(answer, reply):
    assert await witness(answer).add(ASKED) == reply


def unreachable(error):
    def answer(request):
        raise error("the cable", request=request)

    return answer


REFUSED = {
    "malformed": (always(400), "malformed"),
    "not trusted": (always(403), "bad-signature"),
    "unknown": (always(404), "unknown-origin"),
    "a proxy": (always(502), "http-502"),
    "elsewhere": (always(301, location="http://elsewhere/"), "http-301"),
    "a conflict without a size": (always(409, "<h1>Conflict</h1>"), "malformed"),
    "a size with a zero before it": (always(409, "017\n"), "malformed"),
    "no cable": (unreachable(httpx2.ConnectError), "unreachable"),
    "slow": (unreachable(httpx2.ReadTimeout), "unreachable"),
    "cut": (unreachable(httpx2.ReadError), "unreachable"),
}


@pytest.mark.parametrize(("answer", "reason"), REFUSED.values(), ids=REFUSED)
async def test_anything_else_is_an_error_with_its_reason(answer, reason):
    with pytest.raises(WitnessError) as refusal:
        await witness(answer).add(ASKED)

    assert refusal.value.reason == reason


@pytest.mark.parametrize("status", [403, 500])
async def test_a_memory_that_is_not_shown_is_an_error(status):
    with pytest.raises(WitnessError, match=f"http-{status}"):
        await witness(always(status)).latest("a")


async def test_an_answer_without_an_end_is_not_read_to_its_end():
    chunks = []

    async def body():
        while True:
            chunks.append(1)
            yield bytes(16_384)

    with pytest.raises(WitnessError) as refusal:
        await witness(lambda request: httpx2.Response(200, content=body())).add(ASKED)

    assert (refusal.value.reason, len(chunks)) == ("endless", 5)


async def test_an_answer_that_drips_is_given_up():
    async def body():
        while True:
            yield b"x"
            await asyncio.sleep(0)

    with pytest.raises(WitnessError) as refusal:
        await witness(lambda r: httpx2.Response(200, content=body()), timeout_ms=1).add(ASKED)

    assert refusal.value.reason == "unreachable"


@pytest.mark.parametrize("url", ["http://", "ftp://witness", "witness", "http://[::"])
def test_a_url_that_is_none_is_refused_at_the_start(url):
    with pytest.raises(ConfigError, match="is none"):
        HttpWitness(url, 100)
