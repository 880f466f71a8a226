"""What a collector deletes because its gateway says so, and what it keeps all the same."""

import pytest

from gateway.collect.origins import Origins
from gateway.collect.receiver import position, receive
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from gateway.ledger import pruning
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.store import Selection
from protocol import prune as prunes
from protocol.errors import MalformedError, TamperedError
from protocol.prune import PRUNED, REDACTION, RETENTION, Prune
from tests.fakes import ORIGIN, FakeDevice, FakeGateway

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")
MARK = b"a person's name"


@pytest.fixture
def gateway():
    """Entries 0 to 9 are packs, of shed and cellar in turn."""
    gateway = FakeGateway()
    for n in range(5):
        gateway.commit(SHED.submission(n), CELLAR.submission(n))
    return gateway


def batch_of(gateway, start: int = 0):
    gateway.sign()
    view = LedgerView(gateway.store, gateway.signer, lambda: gateway.writer.note)
    return view.batch(Send(start, gateway.writer.size))


def push(gateway, store) -> None:
    """Whatever the store lacks."""
    batch = batch_of(gateway, store.read(position).next_index)
    store.transact(lambda t: receive(t, batch, gateway.signer.verifier_key))


def without_body(store) -> list[int]:
    return [e.index for e in store.read(lambda r: r.entries(0, 99)) if e.body is None]


def test_a_redaction_is_followed_when_its_entry_arrives(gateway, store):
    push(gateway, store)

    pruning.commit(gateway.writer, Selection(2, 8, None, "shed"), REDACTION)
    push(gateway, store)

    assert without_body(store) == without_body(gateway.store) == [2, 4, 6]


def test_what_the_gateway_deleted_for_its_age_stays(gateway, store):
    push(gateway, store)

    pruning.commit(gateway.writer, Selection(0, 10), RETENTION)
    push(gateway, store)

    assert without_body(store) == []
    assert without_body(gateway.store) == list(range(10))


def test_what_was_deleted_before_it_was_sent_is_missing_here_too(gateway, store):
    pruning.commit(gateway.writer, Selection(0, 4), RETENTION)
    pruning.commit(gateway.writer, Selection(6, 8), REDACTION)

    push(gateway, store)

    assert without_body(store) == [0, 1, 2, 3, 6, 7]


def test_a_batch_of_before_the_redaction_brings_nothing_back(gateway, store):
    before = batch_of(gateway)
    push(gateway, store)
    pruning.commit(gateway.writer, Selection(0, 10), REDACTION)
    push(gateway, store)

    store.transact(lambda t: receive(t, before, gateway.signer.verifier_key))

    assert without_body(store) == list(range(10))


def forged(gateway, body: bytes) -> None:
    gateway.commit(Submission(Draft(PRUNED, "", body)))


WRONG = {
    "no prune at all": (b"\x80", MalformedError),
    "entries still to come": (
        prunes.encode(Prune(0, 11, None, None, REDACTION, 1, 1)),
        TamperedError,
    ),
}


@pytest.mark.parametrize(("body", "error"), WRONG.values(), ids=WRONG)
def test_a_prune_that_cannot_be_is_refused_with_its_batch(gateway, store, body, error):
    forged(gateway, body)

    with pytest.raises(error):
        push(gateway, store)

    assert store.read(position).next_index == 0


def test_a_prune_without_its_statement_is_refused(gateway, store):
    forged(gateway, prunes.encode(Prune(0, 2, None, None, REDACTION, 1, 1)))
    batch = batch_of(gateway)
    leaf, salt, _ = batch.entries[10]
    batch.entries[10] = (leaf, salt, None)

    with pytest.raises(TamperedError, match="without its statement"):
        store.transact(lambda t: receive(t, batch, gateway.signer.verifier_key))


def raw(folder) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("*.sqlite*"))


def test_nothing_of_a_redacted_body_is_left_in_the_collectors_files(gateway, tmp_path):
    gateway.commit(Submission(Draft("note", "desk", MARK * 9)))
    origins = Origins(tmp_path, [gateway.signer.verifier_text])
    origins.receive(batch_of(gateway))
    held = MARK in raw(tmp_path)

    pruning.commit(gateway.writer, Selection(0, 11, "note"), REDACTION)
    origins.receive(batch_of(gateway, 11))

    assert held
    assert MARK not in raw(tmp_path)
    origins.close()


def test_what_somebody_reads_now_is_erased_with_a_later_batch(gateway, tmp_path):
    gateway.commit(Submission(Draft("note", "desk", MARK * 9)))
    origins = Origins(tmp_path, [gateway.signer.verifier_text])
    origins.receive(batch_of(gateway))
    pruning.commit(gateway.writer, Selection(0, 11, "note"), REDACTION)

    def receive_meanwhile(reader):
        reader.last()
        origins.receive(batch_of(gateway, 11))

    origins.store(ORIGIN).read(receive_meanwhile)
    meanwhile = MARK in raw(tmp_path)
    gateway.commit(SHED.submission(99))
    origins.receive(batch_of(gateway, 12))

    assert meanwhile
    assert MARK not in raw(tmp_path)
    origins.close()
