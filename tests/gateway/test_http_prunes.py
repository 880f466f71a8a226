"""POST /prunes over a real writer: who may, what is deleted, and what is said of it."""

import httpx2
import pytest

from gateway.config import HttpConfig
from gateway.http import server
from gateway.http.auth import Guard
from gateway.http.prunes import PruneRoutes
from gateway.ledger import pruning
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.ledger.pruning import MAX_ENTRIES
from gateway.store import Selection
from gateway.store.memory import MemoryStore
from gateway.tokens import Token, Tokens, digest_of
from protocol.prune import RETENTION
from tests.fakes import NOW_MS, FakeDevice
from tests.gateway.caretaking import Caretaking

ADMIN = "admin"  # the tokens are called what they may do
SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")
TOKENS = Tokens([Token(scope, digest_of(scope), scope) for scope in ("read", "ingest", "admin")])


class PruneDesk(Caretaking):
    """Entries 0 to 9 are packs, of shed and cellar in turn, two a millisecond."""

    def __init__(self, store=None):
        super().__init__(store)
        for n in range(5):
            self.gateway.surroundings.now_ms = NOW_MS + n
            self.gateway.commit(SHED.submission(n), CELLAR.submission(n))
        guard = Guard(HttpConfig(), TOKENS)
        routes = PruneRoutes(self.store, self.pruner, guard, known=self.known, max_looks=2)
        self.app = server.application(routes.routes)

    async def post(self, order, token: str = ADMIN) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            if isinstance(order, bytes):
                return await client.post("/prunes", content=order, headers=headers)
            return await client.post("/prunes", json=order, headers=headers)


@pytest.fixture
async def desk():
    desk = PruneDesk()
    yield desk
    await desk.stop()


ORDERS = [
    ({"start": 2, "stop": 4}, [0, 1, 4, 5, 6, 7, 8, 9]),
    ({"source": "cellar"}, [0, 2, 4, 6, 8]),
    ({"before_ms": NOW_MS + 2, "redact": True}, [4, 5, 6, 7, 8, 9]),
    ({"kind": "alert"}, [*range(10)]),
    ({}, []),
]


@pytest.mark.parametrize(("order", "left"), ORDERS)
async def test_what_is_asked_for_is_deleted_when_it_is_answered(desk, order, left):
    answer = await desk.post(order)

    assert answer.status_code == 200
    assert desk.left() == left
    assert answer.json()["bodies"] == 10 - len(left)
    assert answer.json()["next_start"] is None


async def test_the_answer_is_the_prune_that_is_recorded(desk):
    answer = await desk.post({"source": "cellar", "redact": True})

    pruned = {"start": 1, "stop": 10, "kind": None, "source": "cellar", "why": "redaction"}
    size_bytes = 5 * len(CELLAR.submission(0).draft.body)
    assert answer.json() == {
        "bodies": 5,
        "size_bytes": size_bytes,
        "recorded_at": 10,
        "pruned": {**pruned, "count": 5, "size_bytes": size_bytes},
        "next_start": None,
        "held_back": 0,
        "erased": True,
    }


async def test_a_dry_run_counts_and_deletes_nothing(desk):
    answer = (await desk.post({"source": "cellar", "dry_run": True})).json()

    assert (answer["bodies"], answer["recorded_at"], answer["pruned"]) == (5, None, None)
    assert answer["size_bytes"] == 5 * len(CELLAR.submission(0).draft.body)
    assert desk.left() == [*range(10)]


async def test_what_is_not_forwarded_is_held_back_unless_it_is_asked_for(desk):
    desk.forwarded = 4

    held = await desk.post({"stop": 7})
    before = desk.left()
    asked = await desk.post({"stop": 7, "even_unforwarded": True})

    assert (held.json()["bodies"], held.json()["held_back"]) == (4, 3)
    assert before == [4, 5, 6, 7, 8, 9]
    assert (asked.json()["bodies"], asked.json()["held_back"]) == (3, 0)


async def test_where_nothing_is_forwarded_everything_is_held_back(desk):
    desk.forwarded = 0

    answer = (await desk.post({})).json()

    assert (answer["bodies"], answer["held_back"], answer["next_start"]) == (0, 10, None)


async def test_what_is_too_young_anyway_is_not_held_back(desk):
    desk.forwarded = 6

    answer = (await desk.post({"before_ms": NOW_MS + 2})).json()

    assert (answer["bodies"], answer["held_back"]) == (4, 0)


async def test_a_long_order_is_answered_in_parts(desk):
    count = 2 * MAX_ENTRIES
    await desk.sequencer.run(
        lambda writer: writer.commit([Submission(Draft("note", "me", b"x"))] * count, {})
    )
    answers = await all_answers(desk, kind="note")

    assert sum(answer["bodies"] for answer in answers) == count
    assert 2 <= len(answers) <= 4
    assert desk.left() == [*range(10)]


async def all_answers(desk, **order) -> list[dict]:
    answers = [(await desk.post(order)).json()]
    while answers[-1]["next_start"] is not None:
        answers.append((await desk.post(order | {"start": answers[-1]["next_start"]})).json())
    return answers


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_request_looks_at_so_many_parts_and_the_next_goes_on_there(desk, dry_run):
    """Five parts of which only the last holds anything."""
    kept = [Submission(Draft("fault", "", b"x"))] * (4 * MAX_ENTRIES)
    note = Submission(Draft("note", "me", b"x"))
    await desk.sequencer.run(lambda writer: writer.commit([*kept, note], {}))

    answers = await all_answers(desk, kind="note", dry_run=dry_run)

    assert [answer["bodies"] for answer in answers] == [0, 0, 1]
    assert [answer["held_back"] for answer in answers] == [0, 0, 0]


class ContestedStore(MemoryStore):
    """Something else happens right after the next look at it, once."""

    def __init__(self):
        super().__init__()
        self.meanwhile = None

    def read(self, work):
        found, meanwhile = super().read(work), self.meanwhile
        self.meanwhile = None
        if meanwhile:
            meanwhile()
        return found


async def test_what_somebody_else_deletes_meanwhile_is_not_counted():
    desk = PruneDesk(ContestedStore())
    desk.store.meanwhile = lambda: pruning.commit(desk.gateway.writer, Selection(0, 10), RETENTION)

    answer = (await desk.post({"stop": 10})).json()

    assert (answer["bodies"], answer["recorded_at"]) == (0, None)
    assert desk.left() == []
    await desk.stop()


@pytest.mark.parametrize(
    ("token", "status"), [("", 401), ("nobody", 401), ("read", 403), ("ingest", 403)]
)
async def test_only_who_has_an_admin_token_may_delete_even_on_loopback(desk, token, status):
    answer = await desk.post({}, token)

    assert answer.status_code == status
    assert desk.left() == [*range(10)]


BAD = [
    (b"", "is JSON"),
    (b"[]", "is JSON"),
    (b'{"strat": 1}', "unknown field `strat`"),
    (b'{"start": -1}', "Expected `int` >= 0"),
    (b'{"stop": 9223372036854775808}', "Expected `int`"),
    (b'{"redact": "yes"}', "Expected `bool`"),
    (b'{"kind": "pruned"}', "entries of kind 'pruned' are never pruned"),
]


@pytest.mark.parametrize(("body", "detail"), BAD)
async def test_an_order_that_is_none_is_refused(desk, body, detail):
    answer = await desk.post(body)

    assert (answer.status_code, answer.json()["title"]) == (400, "bad-query")
    assert detail in answer.json()["detail"]
    assert desk.left() == [*range(10)]


async def test_an_order_is_short(desk):
    answer = await desk.post(b'{"source": "' + b"x" * 5000 + b'"}')

    assert (answer.status_code, answer.json()["title"]) == (413, "too-large")
