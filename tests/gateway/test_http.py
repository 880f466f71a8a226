"""Every route, its filters and refusals, without a socket."""

import time

import pytest

from gateway.config import HttpConfig
from gateway.errors import ConfigError
from gateway.http.auth import Guard, is_loopback
from gateway.http.status import STALLED_S
from gateway.tokens import Tokens
from protocol import leaf as leaves
from protocol import merkle
from protocol import note as notes
from protocol.checkpoint import unverified
from tests.fakes import NOW_MS
from tests.gateway.web import PUBLIC, Web

FIFTH = "2026-09-21T14%3A13%3A25Z"  # NOW_MS + 5 s


@pytest.fixture
def web():
    return Web()


QUERIES = [
    ("", range(10), 9),
    ("?after=-1&limit=3", [0, 1, 2], 2),
    ("?after=2&limit=3", [3, 4, 5], 5),
    ("?kind=alert", [9], 9),
    ("?kind=pack&source=cellar", [1, 4, 7], 9),
    ("?source=nobody", [], 9),
    (f"?since={NOW_MS + 7000}", [7, 8, 9], 9),
    (f"?until={NOW_MS + 2000}", [0, 1], 9),
    (f"?since={FIFTH}&limit=1", [5], 5),
    (f"?since={FIFTH[:-1]}%2B00%3A00&limit=1", [5], 5),
    ("?after=9", [], 9),
    ("?after=9223372036854775806", [], 9223372036854775806),
    ("?limit=1000", range(10), 9),
]


@pytest.mark.parametrize(("query", "indexes", "next_after"), QUERIES)
async def test_entries_are_listed_by_cursor_and_filter(web, query, indexes, next_after):
    response = await web.get(f"/events{query}")

    answer = response.json()
    assert response.status_code == 200
    assert [event["index"] for event in answer["events"]] == list(indexes)
    assert answer["next_after"] == next_after


BAD_QUERIES = [
    ("?limit=0", "limit is 1 to 1000"),
    ("?limit=1001", "limit is 1 to 1000"),
    ("?limit=ten", "limit is a whole number, not 'ten'"),
    ("?limit=-1", "limit is a whole number"),
    ("?limit=", "limit is a whole number"),
    ("?after=-2", "after is a whole number, not '-2'"),
    ("?after=1.5", "after is a whole number"),
    ("?after=%D9%A1", "after is a whole number"),
    ("?after=9223372036854775807", "after is a whole number"),
    ("?after=" + "9" * 5000, "after is a whole number"),
    ("?since=yesterday", "since is Unix ms or an RFC 3339 time, not 'yesterday'"),
    ("?since=2026-09-21T14:13:25", "since needs a time zone, such as 2026-09-21T14:13:25Z"),
    ("?until=2026-13-01T00:00:00Z", "until is Unix ms or an RFC 3339 time"),
    ("?until=99999999999999999999", "until is a whole number"),
    ("?sauce=shed", "no parameter 'sauce'; there are kind, source, after, since, until, limit"),
]


@pytest.mark.parametrize(("query", "problem"), BAD_QUERIES, ids=range(len(BAD_QUERIES)))
async def test_a_bad_query_is_refused_with_what_would_be_right(web, query, problem):
    response = await web.get(f"/events{query}")

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "bad-query"
    assert response.json()["detail"].startswith(problem)


STREAM_QUERIES = [q for q in BAD_QUERIES if "limit" not in q[0]] + [
    ("?limit=5", "a stream has no limit")
]


@pytest.mark.parametrize(("query", "problem"), STREAM_QUERIES, ids=range(len(STREAM_QUERIES)))
async def test_a_bad_query_for_a_stream_is_refused_before_it_begins(web, query, problem):
    response = await web.get(f"/stream{query}")

    assert response.status_code == 400
    assert response.json()["detail"].startswith(problem)


async def test_an_entry_holds_all_that_a_stranger_needs(web):
    shown = (await web.get("/events/4")).json()

    leaf, salt, body = (notes.unb64(shown[part]) for part in ("leaf", "salt", "body"))
    assert leaves.commits_to(leaf, salt, body)
    assert merkle.leaf_hash(leaf).hex() == shown["leaf_hash"]
    assert (shown["kind"], shown["source"], shown["received_ms"]) == (
        "pack",
        "cellar",
        NOW_MS + 4000,
    )
    assert (shown["profile"], shown["epoch"], shown["sequence"]) == ("mac", 1, 4)
    assert shown["readings"] == [
        {
            "name": "cellar/temperature",
            "unit": "Cel",
            "value": 21,
            "time_ms": NOW_MS,
            "time_from": "device",
        }
    ]


PROBLEMS = [
    ("/events/10", 404, "not-found", "no entry 10: the ledger has 10"),
    ("/events/ten", 400, "bad-query", "the event id is a whole number"),
    ("/events/-1", 400, "bad-query", "the event id is a whole number"),
    ("/nowhere", 404, "not-found", "Not Found"),
]


@pytest.mark.parametrize(("path", "status", "title", "detail"), PROBLEMS)
async def test_a_problem_says_what_it_is(web, path, status, title, detail):
    response = await web.get(path)

    problem = response.json()
    assert (response.status_code, problem["status"], problem["title"]) == (status, status, title)
    assert problem["type"] == f"urn:tallystick:{title}"
    assert problem["detail"].startswith(detail)


async def test_a_wrong_method_names_the_right_ones(web):
    response = await web.get("/events", method="DELETE")

    assert (response.status_code, response.json()["title"]) == (405, "method-not-allowed")
    assert "GET" in response.headers["allow"]


TAMPERED = [{"body": b"evil"}, {"salt": bytes(16)}, {"leaf": b"\x80", "body": None}]


def integrity_counted(web):
    return web.gateway.metrics.registry.get_sample_value(
        "tallystick_requests_total", {"door": "http", "outcome": "integrity"}
    )


@pytest.mark.parametrize("changes", TAMPERED)
async def test_a_tampered_entry_is_an_integrity_error_and_never_served(web, changes):
    web.tamper(4, **changes)

    response = await web.get("/events/4")

    problem = response.json()
    assert (response.status_code, problem["title"], problem["index"]) == (500, "integrity", 4)
    assert "ZXZpbA" not in response.text
    assert integrity_counted(web) == 1


@pytest.mark.parametrize("changes", TAMPERED)
async def test_a_tampered_entry_is_a_fault_in_its_place_and_hides_no_other(web, changes):
    web.tamper(4, **changes)

    events = (await web.get("/events?after=2&limit=3")).json()["events"]

    assert [event["index"] for event in events] == [3, 4, 5]
    assert ["leaf" in event for event in events] == [True, False, True]
    assert (events[1]["kind"], set(events[1])) == ("integrity", {"index", "kind", "fault"})
    assert integrity_counted(web) == 1


async def test_a_deleted_body_is_shown_as_deleted(web):
    web.tamper(4, body=None)

    shown = (await web.get("/events/4")).json()

    assert shown["body"] is None
    assert "readings" not in shown


async def test_the_checkpoint_is_the_note_itself(web):
    response = await web.get("/checkpoint")

    assert unverified(response.text).size == 10
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"


async def test_before_the_first_checkpoint_there_is_none(web):
    web.facts = web.facts._replace(note="")

    assert (await web.get("/checkpoint")).status_code == 404


async def test_a_sound_ledger_verifies(web):
    response = await web.get("/verify")

    assert (response.status_code, response.json()["valid"]) == (200, True)
    assert response.json()["entries"] == 10


async def test_a_damaged_ledger_does_not_and_the_entry_is_named(web):
    web.tamper(4, chain=bytes(32))

    response = await web.get("/verify")

    assert (response.status_code, response.json()["first_bad"]) == (500, 4)


async def test_stats_say_what_the_writer_knows_and_no_more(web):
    stats = (await web.get("/stats")).json()

    assert (stats["size"], stats["signed_size"], stats["forward"]) == (10, 10, None)
    assert not {"note", "heartbeat"} & set(stats)


async def test_metrics_are_in_prometheus_text(web):
    response = await web.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "tallystick_entries" in response.text


HEALTH = [
    ({}, 200, []),
    ({"failing": "store-full"}, 503, ["the last transaction failed: store-full"]),
    ({"clock_trusted": False}, 503, ["the clock is not set, or was set back"]),
    ({"pending": 3}, 200, []),
    ({"heartbeat": -STALLED_S}, 200, []),
    (
        {"pending": 3, "heartbeat": -STALLED_S},
        503,
        ["3 submissions wait and the writer does not move"],
    ),
]


@pytest.mark.parametrize(("facts", "status", "faults"), HEALTH, ids=range(len(HEALTH)))
async def test_health_is_progress(web, facts, status, faults):
    if "heartbeat" in facts:
        facts = facts | {"heartbeat": time.monotonic() - 1 + facts["heartbeat"]}
    web.facts = web.facts._replace(**facts)

    response = await web.get("/healthz")

    assert (response.status_code, response.json()["faults"]) == (status, faults)


GUARDED = ["/events", "/events/1", "/stream?limit=0", "/verify", "/stats", "/metrics"]
ASKED_WITH = [
    ("", 401, "unauthorized"),
    ("nonsense", 401, "unauthorized"),
    ("old-secret", 401, "unauthorized"),
]


@pytest.mark.parametrize(("token", "status", "title"), ASKED_WITH)
@pytest.mark.parametrize("path", GUARDED)
async def test_a_public_door_needs_a_token(path, token, status, title):
    response = await Web(PUBLIC).get(path, token)

    assert (response.status_code, response.json()["title"]) == (status, title)
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["read-secret", "ingest-secret"])
async def test_any_known_token_may_read(token):
    assert (await Web(PUBLIC).get("/events", token)).status_code == 200


@pytest.mark.parametrize("path", ["/checkpoint", "/healthz"])
async def test_what_is_made_to_be_handed_around_needs_no_token(path):
    assert (await Web(PUBLIC).get(path)).status_code == 200


async def test_a_loopback_door_can_be_told_to_need_one():
    web = Web(HttpConfig(require_token=True))

    assert (await web.get("/events")).status_code == 401
    assert (await web.get("/events", "read-secret")).status_code == 200


@pytest.mark.parametrize("config", [PUBLIC, HttpConfig(require_token=True)])
def test_a_door_that_would_be_open_to_anyone_is_refused(config):
    with pytest.raises(ConfigError, match="open to anyone"):
        Guard(config, Tokens([]))


LOOPBACK = {"127.0.0.1": True, "127.9.9.9": True, "::1": True, "localhost": True}
ELSEWHERE = {"0.0.0.0": False, "::": False, "192.168.1.2": False, "garden.local": False}  # noqa: S104  # never bound


@pytest.mark.parametrize(("host", "loopback"), (LOOPBACK | ELSEWHERE).items())
def test_what_is_loopback(host, loopback):
    assert is_loopback(host) == loopback
