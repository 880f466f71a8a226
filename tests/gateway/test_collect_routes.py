"""The collector's HTTP over real files, without a socket."""

import httpx2
import pytest

from gateway.collect.cosigning import Cosigning
from gateway.collect.origins import Origins, file_name
from gateway.collect.routes import CollectRoutes
from gateway.config import HttpConfig
from gateway.errors import ConfigError
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from gateway.http import server
from gateway.http.auth import Guard
from gateway.ledger import fsck
from gateway.ledger.fsck import Options
from gateway.metrics import Metrics
from gateway.store.sqlite import SqliteStore
from protocol import batch as batches
from tests.fakes import ORIGIN, FakeGateway
from tests.gateway.web import TOKENS

MAX_BYTES = 20_000


class Collector:
    def __init__(self, directory, trusted):
        self.origins = Origins(directory, trusted)
        guard = Guard(HttpConfig(), TOKENS)
        cosigning = Cosigning(self.origins, None)
        routes = CollectRoutes(self.origins, cosigning, guard.check, Metrics(), MAX_BYTES)
        self.app = server.application(routes.routes)

    async def ask(self, method, path, *, token="ingest-secret", **request):  # noqa: S107  # made for this test
        request.setdefault("headers", {})
        request["headers"] |= {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://collector") as client:
            return await client.request(method, path, **request)

    async def push(self, data, content_type="application/cbor", **request):
        headers = {"Content-Type": content_type}
        return await self.ask("POST", "/batches", content=data, headers=headers, **request)


@pytest.fixture(scope="module")
def gateway():
    gateway = FakeGateway()
    gateway.fill(30)
    return gateway


@pytest.fixture
def collector(tmp_path, gateway):
    collector = Collector(tmp_path, [gateway.signer.verifier_text])
    yield collector
    collector.origins.close()


def batch(gateway, start, stop):
    view = LedgerView(gateway.store, gateway.signer, lambda: gateway.writer.note)
    return batches.encode(view.batch(Send(start, stop)))


async def test_a_batch_is_kept_and_the_answer_says_where_to_go_on(collector, gateway, tmp_path):
    response = await collector.push(batch(gateway, 0, 20))
    again = await collector.push(batch(gateway, 0, 20))

    assert (response.status_code, response.json()["next_index"]) == (200, 20)
    assert again.json() == response.json()
    store = SqliteStore(tmp_path / file_name(ORIGIN))
    assert fsck.check(store, ORIGIN, "", Options(is_copy=True)).entries == 20
    store.close()


async def test_a_collector_goes_on_after_a_restart(collector, gateway, tmp_path):
    await collector.push(batch(gateway, 0, 20))
    restarted = Collector(tmp_path, [gateway.signer.verifier_text])

    position = await restarted.ask("GET", "/batches", params={"origin": ORIGIN})
    rest = await restarted.push(batch(gateway, 20, 30))
    restarted.origins.close()

    assert position.json() == {
        "next_index": 20,
        "checkpoint": gateway.writer.note,
        "cosigned": "",
        "rotations": [],
    }
    assert rest.json()["next_index"] == 30


async def test_a_crash_between_making_the_file_and_naming_its_ledger_is_mended(
    collector, gateway, tmp_path
):
    SqliteStore(tmp_path / file_name(ORIGIN), create=True).close()

    assert (await collector.push(batch(gateway, 0, 5))).status_code == 200


async def test_a_gap_is_refused_with_where_to_go_on(collector, gateway):
    await collector.push(batch(gateway, 0, 5))

    response = await collector.push(batch(gateway, 6, 9))

    assert (response.status_code, response.json()["title"]) == (409, "out-of-order")
    assert response.json()["next_index"] == 5


async def test_a_ledger_that_is_not_trusted_is_refused(tmp_path, gateway):
    collector = Collector(tmp_path, [])

    response = await collector.push(batch(gateway, 0, 5))
    position = await collector.ask("GET", "/batches", params={"origin": ORIGIN})

    assert (response.status_code, response.json()["title"]) == (403, "unknown-origin")
    assert "--trust KEY" in response.json()["detail"]
    assert position.status_code == 403
    assert list(tmp_path.iterdir()) == []


REFUSED = [
    (b"", "application/cbor", 400, "malformed"),
    (b"\xff", "application/cbor", 400, "malformed"),
    (b"{}", "application/json", 415, "unsupported-format"),
    (bytes(MAX_BYTES + 1), "application/cbor", 413, "too-large"),
]


@pytest.mark.parametrize(("data", "content_type", "status", "title"), REFUSED)
async def test_what_is_no_batch_is_refused(collector, data, content_type, status, title):
    response = await collector.push(data, content_type)

    assert (response.status_code, response.json()["title"]) == (status, title)


TOKENS_REFUSED = [("", 401), ("nonsense", 401), ("old-secret", 401), ("read-secret", 403)]


@pytest.mark.parametrize(("token", "status"), TOKENS_REFUSED)
async def test_taking_batches_needs_its_own_token_even_on_loopback(
    collector, gateway, token, status
):
    response = await collector.push(batch(gateway, 0, 5), token=token)

    assert response.status_code == status
    assert collector.origins.position(ORIGIN).next_index == 0


async def test_the_origins_say_where_each_stands(collector, gateway):
    before = (await collector.ask("GET", "/origins")).json()
    await collector.push(batch(gateway, 0, 5))
    after = (await collector.ask("GET", "/origins")).json()

    first = {
        "origin": ORIGIN,
        "entries": 0,
        "checkpoint": None,
        "verifier_key": gateway.signer.verifier_text,
        "evidence": {"proven": 0, "unexplained": 0},
    }
    assert before == {"origins": [first]}
    assert after["origins"][0]["entries"] == 5


async def test_a_position_shows_the_rotations_and_the_origins_the_key_of_now(tmp_path):
    gateway = FakeGateway()
    first = gateway.signer.verifier_text
    gateway.fill(5)
    gateway.rotate(bytes(32))
    collector = Collector(tmp_path, [first, gateway.signer.verifier_text])

    for start in (0, 5):
        assert (await collector.push(batch(gateway, start, 6))).status_code == 200
    position = await collector.ask("GET", "/batches", params={"origin": ORIGIN})
    origins = await collector.ask("GET", "/origins")
    collector.origins.close()

    (statement,) = position.json()["rotations"]
    assert statement.startswith("tallystick rotation v1\n")
    assert origins.json()["origins"][0]["verifier_key"] == gateway.signer.verifier_text != first


async def test_a_position_is_of_a_named_ledger(collector):
    response = await collector.ask("GET", "/batches")

    assert (response.status_code, response.json()["title"]) == (400, "bad-query")


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
async def test_it_says_how_it_is(collector, path):
    assert (await collector.ask("GET", path)).status_code == 200


def test_a_trusted_key_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="trust: "):
        Origins(tmp_path, ["nonsense"])


def test_files_of_origins_that_look_alike_are_apart():
    names = [file_name(origin) for origin in ("a/b", "a_b", "a:b", "../../a", "a" * 255)]

    assert len(set(names)) == 5
    assert all("/" not in name and len(name) < 60 for name in names)
