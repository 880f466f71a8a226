"""How the bytes that a ledger may take are divided between its file and its log."""

import random

import pytest

from gateway.errors import BusyError, ConfigError
from gateway.ledger import budget, pruning
from gateway.ledger.batch import Applied, Number, Submission
from gateway.ledger.changes import MAX_PARTS, Limits
from gateway.ledger.log import Draft
from gateway.ledger.pruning import MAX_ENTRIES
from gateway.store import PAGE_BYTES, Selection
from gateway.store.sqlite import SqliteStore
from protocol.limits import MAX_CONTENT_BYTES, MAX_ENVELOPE_BYTES
from protocol.prune import RETENTION
from tests.fakes import FakeGateway
from tests.gateway.resourceful import post, put

FRAME = PAGE_BYTES + 24


@pytest.mark.parametrize("max_batch", [1, 64, 320, 1024, 4096])
@pytest.mark.parametrize("max_bytes", [1 << 28, 10**9, 1 << 40])
def test_file_log_and_the_largest_transaction_stay_within(max_bytes, max_batch):
    divided = budget.divided(max_bytes, max_batch)

    file_bytes = divided.file_pages * PAGE_BYTES
    largest = budget.transaction_pages(max_batch) * FRAME
    assert file_bytes + divided.log_bytes + largest < max_bytes
    assert divided.target_bytes < divided.soft_bytes < file_bytes
    assert divided.soft_bytes == int(file_bytes * 0.9)


SHAPES = [(140, 2), (140, 5), (300, 5), (500, 3), (1000, 2), (1000, 5), (1024, 5), (5000, 5)]


@pytest.mark.parametrize(("size", "sources"), SHAPES)
def test_no_step_of_a_prune_writes_more_than_is_reckoned_with(tmp_path, size, sources):
    """Every so many-th body of a store full of such bodies."""
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    gateway = FakeGateway(store)
    bodies = [Draft("pack", f"device {n % sources}", bytes(size)) for n in range(MAX_ENTRIES)]
    gateway.commit(*map(Submission, bodies))
    store.empty_log()
    wanted = Selection(0, MAX_ENTRIES, source="device 0")

    step = store.read(lambda reader: pruning.look(reader, wanted)).step
    pruning.commit(gateway.writer, step, RETENTION)

    written = store.sizes().log_bytes / FRAME
    store.close()
    assert written <= budget.transaction_pages(1)


def test_no_batch_writes_more_than_is_reckoned_with(tmp_path):
    """The largest envelopes, each of another device, into a ledger of many numbers."""
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    gateway, dice = FakeGateway(store), random.Random(1)
    kids = [dice.randbytes(8) for _ in range(500)]
    store.transact(
        lambda tx: [tx.put_numbers([(kid, 1, n, 0)]) for kid in kids for n in range(0, 200, 2)]
    )
    store.empty_log()
    body = bytes(MAX_ENVELOPE_BYTES)

    gateway.commit(
        *(Submission(Draft("pack", f"{n}", body), Number(kids[n], 1, 101)) for n in range(400))
    )

    written = store.sizes().log_bytes / FRAME
    store.close()
    assert 400 < written <= budget.transaction_pages(400)


def test_no_batch_of_changes_writes_more_than_is_reckoned_with(tmp_path):
    """As much content as may wait, among small ones, and as many parts dropped as may be."""
    store = SqliteStore(tmp_path / "ledger.sqlite", create=True)
    gateway = FakeGateway(store)
    limits = {"limits": Limits(MAX_CONTENT_BYTES, 10**6, 1 << 40)}
    for path in ("home/a", "home/b"):
        gateway.commit(*(post(path, b"", **limits) for _ in range(MAX_PARTS)))
    gateway.commit(*(put(f"var/{'n' * 200}{n}", b"1", **limits) for n in range(2000)))
    store.empty_log()

    answers = gateway.commit(
        *(put(path, bytes(MAX_CONTENT_BYTES), **limits) for path in ("home/a", "home/b")),
        *(put(f"var/{'n' * 200}{n * 5}b", b"2", **limits) for n in range(397)),
        put(f"var/{'n' * 200}0", b"2", **limits),
    )

    written = store.sizes().log_bytes / FRAME
    store.close()
    assert [type(answer) for answer in answers] == [*[Applied] * 399, BusyError]
    assert 500 < written <= budget.transaction_pages(400)


def test_most_is_left_for_the_file():
    divided = budget.divided(10**9, 1024)

    assert divided.file_pages * PAGE_BYTES > 0.98 * 10**9


def test_too_little_is_refused_with_what_would_do():
    with pytest.raises(ConfigError) as refused:
        budget.divided(10**6, 64)

    enough = int(refused.value.fix.split()[1])
    assert budget.divided(enough, 64).file_pages > 0
    with pytest.raises(ConfigError):
        budget.divided(enough - 1, 64)
