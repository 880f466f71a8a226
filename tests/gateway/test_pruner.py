"""Deleting beside a running writer, and the space that comes back."""

import asyncio
import threading

import apsw
import pytest

from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.store import PAGE_BYTES, Selection
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SqliteStore
from protocol.prune import REDACTION, RETENTION
from tests.gateway.caretaking import Caretaking


async def filled(store, count: int, size: int) -> Caretaking:
    desk = Caretaking(store)
    await desk.sequencer.run(
        lambda writer: writer.commit([Submission(Draft("note", "me", bytes(size)))] * count, {})
    )
    return desk


def counted(desk, name: str, why: str) -> float:
    return desk.metrics.registry.get_sample_value(f"tallystick_{name}_total", {"why": why})


async def test_a_step_is_recorded_counted_and_known_as_the_last(store):
    desk = await filled(store, 10, 500)

    done = await desk.pruner.prune(Selection(0, 4), RETENTION)
    nothing = await desk.pruner.prune(Selection(0, 4), RETENTION)

    assert done.recorded_at == 10
    assert nothing is None
    assert desk.pruner.last is done
    assert counted(desk, "pruned_bodies", RETENTION) == 4
    assert counted(desk, "pruned_bytes", RETENTION) == 2000
    await desk.stop()


async def test_free_space_is_given_back_but_for_a_cushion(store):
    desk = await filled(store, 600, 9000)
    full = store.sizes()

    await desk.pruner.prune(Selection(0, 600), RETENTION)
    await desk.pruner.empty_log()
    await desk.pruner.give_back()
    await desk.pruner.empty_log()
    after = store.sizes()

    assert full.used_bytes > 5_000_000
    assert after.used_bytes < 500_000
    assert 0 <= after.file_bytes - after.used_bytes - (1 << 20) < 6 * PAGE_BYTES
    await desk.stop()


async def test_a_little_free_space_stays_for_what_comes_next(store):
    desk = await filled(store, 20, 9000)
    await desk.pruner.prune(Selection(0, 20), RETENTION)
    before = store.sizes().file_bytes

    await desk.pruner.give_back()

    assert store.sizes().file_bytes == before
    await desk.stop()


async def test_nothing_stays_where_the_disk_needs_all_of_it(store):
    desk = await filled(store, 20, 9000)
    await desk.pruner.prune(Selection(0, 20), RETENTION)
    await desk.pruner.empty_log()

    await desk.pruner.give_back(all_of_it=True)
    await desk.pruner.empty_log()

    sizes = store.sizes()
    assert sizes.file_bytes - sizes.used_bytes < 3 * PAGE_BYTES
    await desk.stop()


@pytest.mark.parametrize("why", [REDACTION, RETENTION])
async def test_the_log_is_emptied_after_a_redaction(tmp_path, why):
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    desk = await filled(store, 3, 100)
    await desk.pruner.empty_log()

    await desk.pruner.prune(Selection(0, 3), why)
    clean = await desk.pruner.empty_log()

    assert clean
    assert (store.sizes().log_bytes == 0) == (why == REDACTION)
    await desk.stop()
    store.close()


async def test_a_log_that_somebody_reads_is_emptied_later(tmp_path):
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    desk = await filled(store, 3, 100)
    await desk.pruner.prune(Selection(0, 3), REDACTION)
    reader = apsw.Connection(str(tmp_path / "ledger.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN; SELECT * FROM state").fetchall()

    held = await desk.pruner.empty_log()
    reader.close()

    assert not held
    assert await desk.pruner.empty_log()
    assert store.sizes().log_bytes == 0
    await desk.stop()
    store.close()


class Held(MemoryStore):
    """A log that cannot be emptied until it may be; each try waits for `on_empty`."""

    def __init__(self):
        super().__init__()
        self.may_be_emptied = True
        self.tries = 0
        self.tried = threading.Semaphore(0)
        self.on_empty = threading.Event()
        self.on_empty.set()

    def empty_log(self, wait_ms=0):
        self.tries += 1
        self.tried.release()
        self.on_empty.wait(9)
        return self.may_be_emptied


async def test_what_is_redacted_while_the_log_is_being_emptied_is_not_forgotten():
    store = Held()
    desk = await filled(store, 4, 100)
    store.on_empty.clear()

    emptying = asyncio.create_task(desk.pruner.empty_log())
    await asyncio.to_thread(store.tried.acquire)
    redaction = asyncio.create_task(desk.pruner.prune(Selection(0, 2), REDACTION))
    await asyncio.sleep(0)
    store.on_empty.set()
    await asyncio.gather(emptying, redaction)
    await desk.pruner.empty_log()

    assert store.tries == 2
    await desk.stop()


async def test_no_log_is_called_empty_while_the_emptying_may_still_fail():
    store = Held()
    desk = await filled(store, 4, 100)
    await desk.pruner.empty_log()
    await desk.pruner.prune(Selection(0, 2), REDACTION)
    store.on_empty.clear()
    store.may_be_emptied = False

    emptying = [asyncio.create_task(desk.pruner.empty_log()) for _ in range(2)]
    for _ in range(2):
        await asyncio.to_thread(store.tried.acquire)
    store.on_empty.set()

    assert await asyncio.gather(*emptying) == [False, False]
    assert store.tries == 3
    await desk.stop()


async def test_a_redaction_that_nobody_waits_for_any_more_is_not_forgotten():
    store = Held()
    desk = await filled(store, 4, 100)
    await desk.pruner.empty_log()

    redaction = asyncio.create_task(desk.pruner.prune(Selection(0, 2), REDACTION))
    await asyncio.sleep(0)
    redaction.cancel()
    await desk.pruner.empty_log()

    assert desk.left() == [2, 3]
    assert store.tries == 2
    await desk.stop()


async def test_an_emptying_that_nobody_waits_for_any_more_is_done_again():
    store = Held()
    desk = await filled(store, 4, 100)

    emptying = asyncio.create_task(desk.pruner.empty_log())
    await asyncio.sleep(0)
    emptying.cancel()
    await desk.pruner.empty_log()

    assert store.tries == 2
    await desk.stop()
