"""Changes of resources on their way to a collector, and what a verifier makes of its copy."""

from gateway.collect.receiver import begin, position, receive
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from gateway.ledger import fsck, pruning
from gateway.ledger.changes import Limits
from gateway.ledger.fsck import Options
from gateway.store import Selection
from protocol.limits import MAX_CONTENT_BYTES
from protocol.prune import REDACTION, RETENTION
from tests.fakes import ORIGIN, FakeDevice, FakeGateway
from tests.gateway.resourceful import delete, post, put


def push(gateway, store) -> int:
    """Whatever the store lacks; how many batches that took."""
    gateway.sign()
    store.transact(lambda t: begin(t, ORIGIN))
    view = LedgerView(gateway.store, gateway.signer, lambda: gateway.writer.note)
    batches = 0
    while (start := store.read(position).next_index) < gateway.writer.size:
        batch = view.batch(Send(start, gateway.writer.size))
        store.transact(lambda t, b=batch: receive(t, b, gateway.signer.verifier_key))
        batches += 1
    return batches


def is_sound(store) -> bool:
    return fsck.check(store, ORIGIN, options=Options(is_copy=True)).reason is None


def test_a_collector_takes_changes_and_follows_what_is_redacted_of_them(store):
    gateway = FakeGateway()
    gateway.commit(put("home/a", b"1"), post("home/a", b"2"), FakeDevice().submission(0))
    gateway.commit(put("home/b"), delete("home/b"), put("home/a", b"3"))
    push(gateway, store)
    pruning.commit(gateway.writer, Selection(0, 2), RETENTION)
    pruning.commit(gateway.writer, Selection(5, 6), REDACTION)

    push(gateway, store)

    entries = store.read(lambda r: r.entries(0, 6))
    assert [entry.kind for entry in entries] == ["put", "post", "pack", "put", "delete", "put"]
    assert [entry.index for entry in entries if entry.body is None] == [5]
    assert is_sound(store)
    assert store.read(lambda r: r.parts.lasts("", "", 9)) == []


def test_large_contents_go_in_batches_that_a_collector_takes(store):
    gateway = FakeGateway()
    wide = {"limits": Limits(1 << 30, 99, 1 << 30)}
    gateway.commit(*(put(f"home/{n}", bytes(MAX_CONTENT_BYTES), **wide) for n in range(9)))

    assert push(gateway, store) == 3
    assert is_sound(store)
