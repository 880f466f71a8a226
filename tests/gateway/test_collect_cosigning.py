"""The collector's word: cosignatures for what it holds whole, and evidence against forks."""

import pytest

from gateway.collect.cosigning import Cosigning
from gateway.collect.origins import Origins, file_name
from gateway.collect.receiver import whole
from gateway.collect.routes import CollectRoutes
from gateway.config import HttpConfig
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from gateway.http import server
from gateway.http.auth import Guard
from gateway.http.witness import WitnessRoutes
from gateway.metrics import Metrics
from gateway.store.sqlite import SqliteStore
from gateway.store.witness import WitnessTable
from gateway.witness import files
from protocol import batch as batches
from protocol import checkpoint as checkpoints
from tests.fakes import ORIGIN, FakeGateway
from tests.gateway.test_collect_routes import MAX_BYTES, Collector
from tests.gateway.web import TOKENS
from tests.gateway.witnesses import (
    VKEY,
    Clock,
    Door,
    asking,
    grown,
    made,
    note_of,
    time_of,
)

SIZE = 30


class Cosigner(Collector):
    """A collector with its witness, over real files."""

    def __init__(self, path):
        self.origins = Origins(path, [VKEY])
        self.clock = Clock()
        self.witness = files.opened(path, self.origins.signers, self.clock)
        guard, metrics = Guard(HttpConfig(), TOKENS), Metrics()
        cosigning = Cosigning(self.origins, self.witness)
        collect = CollectRoutes(self.origins, cosigning, guard.check, metrics, MAX_BYTES)
        door = WitnessRoutes(self.witness, guard.check, metrics)
        self.app = server.application(collect.routes + door.routes)

    async def push_entries(self, gateway, start, stop, under=0):
        """Pushes [start, stop) under the gateway's last note, or one of size `under`."""
        note = note_of(gateway, under) if under else gateway.writer.note
        view = LedgerView(gateway.store, gateway.signer, lambda: note)
        return await self.push(batches.encode(view.batch(Send(start, stop))))

    async def cosigned(self):
        """The size that it cosigned, by its answer; None where it says nothing."""
        asked = await self.ask("GET", "/batches", params={"origin": ORIGIN})
        note = asked.json()["cosigned"]
        assert not note or time_of(self.witness, note)
        return checkpoints.unverified(note).size if note else None

    def close(self):
        self.witness.close()
        self.origins.close()


@pytest.fixture(scope="module")
def ledger():
    return grown(SIZE)


@pytest.fixture
def path(tmp_path):
    return made(tmp_path / "upstream", "upstream/witness")


@pytest.fixture
def collector(path):
    collector = Cosigner(path)
    yield collector
    collector.close()


async def test_the_answer_to_a_whole_ledger_has_the_collector_s_cosignature(collector, ledger):
    answer = (await collector.push_entries(ledger, 0, SIZE)).json()

    assert answer["checkpoint"] == ledger.writer.note
    assert answer["cosigned"].startswith(ledger.writer.note)
    assert time_of(collector.witness, answer["cosigned"])
    assert await collector.cosigned() == SIZE


async def test_what_is_not_there_yet_is_not_cosigned(collector, ledger):
    part = (await collector.push_entries(ledger, 0, 20)).json()
    rest = (await collector.push_entries(ledger, 20, SIZE)).json()

    assert (part["next_index"], part["cosigned"]) == (20, "")
    assert checkpoints.unverified(rest["cosigned"]).size == SIZE


async def test_the_largest_checkpoint_that_is_whole_is_cosigned_not_the_largest_known(
    collector, ledger
):
    await collector.push_entries(ledger, 0, 10, under=12)
    answer = (await collector.push_entries(ledger, 10, 15)).json()

    assert checkpoints.unverified(answer["checkpoint"]).size == SIZE
    assert checkpoints.unverified(answer["cosigned"]).size == 12


async def test_every_cosignature_continues_the_one_before(collector, ledger):
    sizes = []
    for size in (1, 2, 3, 7, 8, 15, 16, 17, SIZE):
        await collector.push_entries(ledger, max(sizes, default=0), size, under=size)
        sizes.append(await collector.cosigned())

    assert sizes == [1, 2, 3, 7, 8, 15, 16, 17, SIZE]


async def test_a_restart_between_keeping_and_cosigning_cosigns_later(path, ledger):
    """The batch was kept by a process that ended before its witness was asked."""
    origins = Origins(path, [VKEY])
    view = LedgerView(ledger.store, ledger.signer, lambda: ledger.writer.note)
    origins.receive(view.batch(Send(0, SIZE)))
    origins.close()

    restarted = Cosigner(path)

    assert await restarted.cosigned() == SIZE
    restarted.close()


async def test_a_witness_that_fails_does_not_refuse_the_batch(collector, ledger):
    collector.clock.now_ms = 0  # a clock that is not set cosigns nothing

    answer = await collector.push_entries(ledger, 0, SIZE)

    assert (answer.status_code, answer.json()["next_index"]) == (200, SIZE)
    assert answer.json()["cosigned"] == ""


async def test_what_was_cosigned_at_the_witness_s_own_door_is_not_taken_back(collector, ledger):
    await Door(collector.witness).add(asking(ledger, 0, 25))

    await collector.push_entries(ledger, 0, 20, under=20)
    before = await collector.cosigned()
    await collector.push_entries(ledger, 20, SIZE)

    assert (before, await collector.cosigned()) == (25, SIZE)


async def test_entries_that_contradict_what_was_cosigned_elsewhere_are_not_cosigned(
    collector, ledger
):
    other = grown(SIZE, other_from=4)
    await Door(collector.witness).add(asking(other, 0, 25))

    await collector.push_entries(ledger, 0, SIZE)

    assert await collector.cosigned() == 25
    (found,) = collector.witness.evidence(ORIGIN)
    assert (found.note, found.proven) == (ledger.writer.note, True)


async def test_a_collector_without_a_witness_says_nothing(tmp_path, ledger):
    path = made(tmp_path / "bare", "bare")
    (path / files.KEY).unlink()
    origins = Origins(path, [VKEY])
    assert files.opened(path, origins.signers, Clock()) is None

    cosigning = Cosigning(origins, None)
    view = LedgerView(ledger.store, ledger.signer, lambda: ledger.writer.note)
    origins.receive(view.batch(Send(0, SIZE)))

    assert cosigning.cosigned(ORIGIN) == ""
    origins.close()


async def test_which_note_is_whole_is_kept_with_the_entries(collector, path, ledger):
    await collector.push_entries(ledger, 0, 10, under=10)
    await collector.push_entries(ledger, 10, 20)

    store = SqliteStore(path / file_name(ORIGIN))
    assert checkpoints.unverified(store.read(whole)).size == 10
    store.close()


# --- forks are kept -------------------------------------------------------------------------


async def charged(collector) -> dict[str, int]:
    (origin,) = (await collector.ask("GET", "/origins")).json()["origins"]
    return origin["evidence"]


async def evidence(collector):
    return (await collector.ask("GET", "/evidence", params={"origin": ORIGIN})).json()["evidence"]


def forked() -> FakeGateway:
    return grown(SIZE, other_from=12)


# what comes after [0, 20) of the honest ledger -> proven?
FORKS = {
    "another tree of the same size": ((20, 22, SIZE), True),
    "a smaller tree than ours": ((15, 18, 18), True),
    "entries that are not ours, under a larger tree": ((15, 18, 25), True),
    "entries that do not follow from ours": ((20, 22, 25), False),
}


@pytest.mark.parametrize(("sent", "proven"), FORKS.values(), ids=FORKS)
async def test_a_fork_is_refused_and_its_note_is_kept_beside_ours(collector, ledger, sent, proven):
    start, stop, under = sent
    await collector.push_entries(ledger, 0, 20)
    fork = forked()

    refused = await collector.push_entries(fork, start, stop, under=under)

    assert (refused.status_code, refused.json()["title"]) == (422, "forked")
    (found,) = await evidence(collector)
    assert (found["note"], found["held"]) == (note_of(fork, under), ledger.writer.note)
    assert found["proven"] is proven
    assert await charged(collector) == {"proven": int(proven), "unexplained": int(not proven)}


async def test_an_honest_note_over_false_entries_is_not_counted_as_proven(collector, ledger):
    await collector.push_entries(ledger, 0, 20)
    honest = LedgerView(ledger.store, ledger.signer, lambda: ledger.writer.note)
    batch = honest.batch(Send(20, 25))
    false = batch._replace(entries=batch.entries[::-1], proof=[bytes(32)] * len(batch.proof))

    refused = await collector.push(batches.encode(false))

    assert refused.status_code == 422
    assert await charged(collector) == {"proven": 0, "unexplained": 1}


async def test_a_note_by_another_key_is_no_evidence(collector, ledger):
    await collector.push_entries(ledger, 0, 20)
    stranger = FakeGateway(seed=bytes(32))
    stranger.fill(SIZE)

    await collector.push_entries(stranger, 0, 20)

    assert await charged(collector) == {"proven": 0, "unexplained": 0}


async def test_a_table_that_cannot_be_written_says_so_instead_of_losing_the_evidence(
    collector, ledger, path
):
    await collector.push_entries(ledger, 0, 20)
    table = WitnessTable(path / files.TABLE)
    table._connection.execute("BEGIN IMMEDIATE")  # another process holds it
    collector.witness._table._connection.set_busy_timeout(0)

    held = await collector.push_entries(forked(), 20, 22)
    table._connection.execute("ROLLBACK")
    table.close()
    again = await collector.push_entries(forked(), 20, 22)

    assert (held.status_code, held.json()["title"]) == (503, "store-failed")
    assert (again.status_code, len(await evidence(collector))) == (422, 1)
