"""Stores that every test of a store's promises runs on."""

import pytest

from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    store = (
        MemoryStore()
        if request.param == "memory"
        else SqliteStore(tmp_path / "ledger.sqlite", create=True)
    )
    yield store
    store.close()
