"""The resource tree over a real sequencer: what is kept, what races, who is woken."""

import asyncio
import random

import pytest

from gateway.errors import (
    BadPathError,
    BusyError,
    IntegrityError,
    MethodError,
    NotFoundError,
    PreconditionError,
    StoreFailedError,
)
from gateway.ledger.changes import TOTALS, Conditions
from gateway.resources.tree import MAX_PENDING_BYTES
from gateway.store.sqlite import SqliteStore
from tests.gateway.desk import LIMIT_S, SlowStore
from tests.gateway.resourceful import LIMITS, Grove

EVERYWHERE = ["home/lamp", "tmp/lamp"]
MISSING = Conditions(must_not_exist=True)


@pytest.fixture(params=["memory", "sqlite"])
async def grove(request, tmp_path):
    path = tmp_path / "ledger.sqlite"
    store = SqliteStore(path, create=True) if request.param == "sqlite" else None
    grove = Grove(store)
    async with asyncio.timeout(LIMIT_S):
        yield grove
    await grove.stop()
    grove.desk.gateway.store.close()


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_what_is_put_appended_and_deleted_is_what_is_found(grove, path):
    created = await grove.put(path, b"a", 0)
    changed = await grove.post(path, b"b")
    found = await grove.tree.get("/" + path)
    gone = await grove.delete(path)

    assert (created.created, changed.created, gone) == (True, False, (None, False))
    assert (found.content, found.content_format, found.etag) == (b"ab", 0, changed.etag)
    assert created.etag != changed.etag
    with pytest.raises(NotFoundError):
        await grove.tree.get(path)
    with pytest.raises(NotFoundError):
        await grove.delete(path)


async def test_a_durable_change_is_an_entry_and_another_is_none(grove):
    await grove.put("tmp/lamp", b"on")
    await grove.put("home/lamp", b"on")
    await grove.delete("home/lamp")

    entries = grove.desk.gateway.store.read(lambda r: r.entries(0, 9))
    assert [(e.kind, e.source) for e in entries] == [("put", "home/lamp"), ("delete", "home/lamp")]


@pytest.mark.parametrize("change", ["put", "post", "delete"])
async def test_what_is_no_path_of_a_resource_is_refused_before_anything_is_done(grove, change):
    for path, refusal in (
        ("home", BadPathError),
        ("home/../etc/x", BadPathError),
        ("lamp", NotFoundError),
        ("proc/version", MethodError),
    ):
        with pytest.raises(refusal):
            await getattr(grove, change)(path)

    assert grove.desk.gateway.writer.size == 0


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_of_many_who_create_exactly_one_does(grove, path):
    racing = [grove.put(path, b"%d" % n, conditions=MISSING) for n in range(16)]

    answers = await asyncio.gather(*racing, return_exceptions=True)

    winners = [n for n, answer in enumerate(answers) if not isinstance(answer, Exception)]
    losers = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(winners) == 1
    assert [type(answer) for answer in losers] == [PreconditionError] * 15
    assert (await grove.tree.get(path)).content == b"%d" % winners[0]


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_eight_who_compare_and_swap_thirty_times_each_count_to_240(grove, path):
    await grove.put(path, b"0")
    refused = 0

    async def count(dice):
        nonlocal refused
        for _ in range(30):
            while True:
                found = await grove.tree.get(path)
                known = Conditions(if_match=(found.etag[:8],))
                await asyncio.sleep(0)
                if dice.random() < 0.3:
                    await asyncio.sleep(0)
                try:
                    await grove.put(path, b"%d" % (int(found.content) + 1), conditions=known)
                    break
                except PreconditionError:
                    refused += 1

    await asyncio.gather(*(count(random.Random(n)) for n in range(8)))

    assert (await grove.tree.get(path)).content == b"240"
    assert refused > 0


async def test_a_change_that_nobody_waits_for_any_more_is_made_and_told():
    store = SlowStore()
    grove = Grove(store)
    woken = asyncio.Event()
    grove.tree.watch("home/lamp", woken.set)
    store.slow = True
    waiting = asyncio.create_task(grove.put("home/lamp", b"on"))
    await asyncio.to_thread(store.syncing.acquire)

    waiting.cancel()
    store.slow = False
    store.let.release(9)
    async with asyncio.timeout(LIMIT_S):
        await woken.wait()

    assert (await grove.tree.get("home/lamp")).content == b"on"
    await grove.stop()


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_who_watches_a_path_is_woken_by_each_change_of_it(grove, path):
    woken = []
    unwatch = grove.tree.watch("/" + path, lambda: woken.append("first"))
    grove.tree.watch(path, lambda: woken.append("second"))

    await grove.put(path)
    await grove.put(path + "/other")
    await grove.post(path)
    with pytest.raises(PreconditionError):
        await grove.put(path, conditions=MISSING)
    unwatch()
    unwatch()
    await grove.delete(path)

    assert woken == ["first", "second", "first", "second", "second"]


async def test_who_watches_looks_after_the_commit_and_not_before():
    store = SlowStore()
    grove = Grove(store)
    woken = []
    unwatch = grove.tree.watch("home/lamp", lambda: woken.append(1))
    store.slow = True
    waiting = asyncio.create_task(grove.put("home/lamp", b"on"))

    await asyncio.to_thread(store.syncing.acquire)
    before = list(woken)
    store.slow = False
    store.let.release(9)
    async with asyncio.timeout(LIMIT_S):
        await waiting

    assert (before, woken) == ([], [1])
    unwatch()
    await grove.stop()


async def test_who_watches_is_woken_where_nobody_knows_whether_it_was_kept():
    grove = Grove()
    woken = []
    grove.tree.watch("home/lamp", lambda: woken.append(1))
    grove.desk.gateway.store.fail_with = StoreFailedError("I/O error")
    grove.desk.gateway.store.fail_after_keeping = True

    with pytest.raises(StoreFailedError):
        await grove.put("home/lamp", b"on")

    assert woken == [1]
    assert (await grove.tree.get("home/lamp")).content == b"on"
    await grove.stop()


async def test_contents_that_wait_for_the_writer_are_bounded():
    store = SlowStore()
    grove = Grove(store, LIMITS._replace(resource_bytes=1 << 19, total_bytes=1 << 30))
    store.slow = True
    half = bytes(1 << 19)
    waiting = [
        asyncio.create_task(grove.put(f"home/{n}", half)) for n in range(MAX_PENDING_BYTES >> 19)
    ]
    await asyncio.sleep(0)

    with pytest.raises(BusyError):
        await grove.put("home/more", b"x")
    store.slow = False
    store.let.release(9)
    async with asyncio.timeout(LIMIT_S):
        await asyncio.gather(*waiting)
    await grove.put("home/more", b"x")

    await grove.stop()


async def test_the_first_entry_that_is_superseded_is_told(grove):
    await grove.put("home/a")
    await grove.post("home/a")
    await grove.put("home/b")
    await grove.put("home/a")
    await grove.delete("home/b")

    assert grove.superseded == [0, 2]


def damage(store, sql, *values):
    store.transact(lambda t: list(t._execute(sql, values)))


async def test_a_damaged_body_is_never_served_and_is_counted_and_told(tmp_path):
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    grove = Grove(store)
    await grove.put("home/log", b"a")
    await grove.post("home/log", b"b")
    await grove.put("home/other", b"c")
    damage(store, "UPDATE bodies SET body = x'00' WHERE idx = 1")

    with pytest.raises(IntegrityError) as refusal:
        await grove.tree.get("home/log")
    fine = await grove.tree.get("home/other")

    assert refusal.value.index == 1
    assert fine.content == b"c"
    counted = grove.desk.gateway.metrics.outcomes.labels("resources", "integrity")
    assert counted._value.get() == 1
    assert grove.integrity.status()["damaged"] == [1]
    await grove.desk.sequencer.stop()
    store.close()


async def test_a_path_that_leads_astray_is_told_to_who_wants_to_change_it(tmp_path):
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    grove = Grove(store)
    await grove.put("home/lamp", b"a")
    damage(store, "UPDATE resources SET idx = 77")

    with pytest.raises(IntegrityError):
        await grove.put("home/lamp", b"b")

    assert grove.integrity.status()["known"] == 1
    await grove.desk.sequencer.stop()
    store.close()


async def test_damage_that_is_no_entrys_is_told_to_who_asks_and_blames_none():
    grove = Grove()
    grove.desk.gateway.store.transact(lambda t: t.put_state(TOTALS, b"nonsense"))

    with pytest.raises(IntegrityError):
        await grove.put("home/lamp")

    assert grove.integrity.status()["known"] == 0
    assert grove.desk.gateway.writer.size == 0
    await grove.desk.sequencer.stop()


async def test_resources_are_there_after_a_restart_and_those_in_memory_are_not(tmp_path):
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    grove = Grove(store)
    before = await grove.put("home/lamp", b"on", 0)
    await grove.put("tmp/lamp", b"on")
    await grove.stop()

    again = Grove(store)

    assert await again.tree.get("home/lamp") == (b"on", 0, before.etag)
    with pytest.raises(NotFoundError):
        await again.tree.get("tmp/lamp")
    known = Conditions(if_match=(before.etag,))
    assert not (await again.put("home/lamp", b"off", 0, known)).created
    await again.stop()
    store.close()
