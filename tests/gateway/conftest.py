"""Stores that every test of a store's promises runs on, and a writer over a slow one."""

import asyncio

import pytest

from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SqliteStore
from tests.gateway.desk import Desk, SlowStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    store = (
        MemoryStore()
        if request.param == "memory"
        else SqliteStore(tmp_path / "ledger.sqlite", create=True)
    )
    yield store
    store.close()


@pytest.fixture
async def slow():
    store = SlowStore()
    desk = Desk(store, max_pending=4, max_batch=3, checkpoint_every_ms=10**8)
    await asyncio.gather(*desk.submit(0))
    store.slow, store.commits = True, 0
    yield desk, store
    store.slow = False
    store.let.release(99)
    await desk.stop()
