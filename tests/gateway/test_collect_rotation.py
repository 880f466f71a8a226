"""A collector follows the ledger's key from one epoch to the next, and nobody else's."""

import pytest

from gateway.collect.receiver import begin, position, receive
from gateway.collect.trust import Trust
from gateway.errors import ForkedError, OutOfOrderError, RolledBackError
from gateway.forward.outbox import Send
from gateway.forward.upstream import Answer
from gateway.forward.view import LedgerView
from gateway.ledger import fsck
from gateway.ledger.batch import Submission
from gateway.ledger.fsck import Options
from gateway.ledger.log import Draft, Log, Sealed
from gateway.ledger.rotation import KEYS
from gateway.ledger.signer import Signer
from gateway.store.memory import MemoryStore
from protocol import checkpoint as notes
from protocol.batch import Batch
from protocol.errors import BadSignatureError, MalformedError, TamperedError
from protocol.rotation import ROTATED, Keys, Rotation, seal
from tests.fakes import ORIGIN, SEED, FakeGateway

SEEDS = [SEED, bytes((1,)) * 32, bytes((2,)) * 32]
FIRST, SECOND, THIRD = (Signer(ORIGIN, seed) for seed in SEEDS)
STRANGER = Signer(ORIGIN, bytes(32))


def grown() -> FakeGateway:
    """Rotations are entries 10 and 21; 30 entries in all."""
    gateway = FakeGateway()
    gateway.fill(10)
    gateway.rotate(SEEDS[1])
    gateway.fill(10)
    gateway.rotate(SEEDS[2])
    gateway.fill(8)
    return gateway


def view_of(gateway: FakeGateway) -> LedgerView:
    return LedgerView(gateway.store, gateway.signer, lambda: gateway.writer.note)


def root_at(gateway: FakeGateway, size: int) -> bytes:
    entries = gateway.store.read(lambda reader: reader.entries(0, size))
    return Log.empty().extended([Sealed(e.leaf, e.salt, e.body) for e in entries]).log.root()


class Collector:
    """Was told one key; takes batches as the gateway makes them."""

    def __init__(self, told: Signer = FIRST):
        self.told = told.verifier_key
        self.store = MemoryStore()
        self.store.transact(lambda t: begin(t, ORIGIN))

    @property
    def size(self) -> int:
        return self.store.read(position).next_index

    @property
    def current(self):
        return self.store.read(lambda reader: Trust.load(reader, self.told).current)

    def take(self, batch):
        return self.store.transact(lambda t: receive(t, batch, self.told))

    def take_all(self, gateway: FakeGateway, step: int, stop: int = 1 << 40) -> None:
        view, stop = view_of(gateway), min(stop, gateway.writer.size)
        while self.size < stop:
            self.take(view.batch(Send(self.size, min(self.size + step, stop))))

    def refuses(self, batch, error):
        """The refusal; nothing may have been kept."""
        before = self.store.read(lambda r: (position(r), r.state(KEYS), Log.load(r).root()))
        with pytest.raises(error) as refusal:
            self.take(batch)
        after = self.store.read(lambda r: (position(r), r.state(KEYS), Log.load(r).root()))
        assert after == before
        return refusal.value


@pytest.mark.parametrize("told", [FIRST, SECOND, THIRD], ids=["first", "second", "third"])
@pytest.mark.parametrize("step", [1, 4, 10, 11, 100])
def test_the_whole_ledger_arrives_whichever_of_its_keys_was_told(told, step):
    gateway, collector = grown(), Collector(told)

    collector.take_all(gateway, step)

    assert collector.store.read(position) == (30, gateway.writer.note)
    assert collector.current == THIRD.verifier_key
    listed = collector.store.read(lambda reader: reader.state(KEYS)).decode()
    assert Keys.parse(listed).epochs == [
        (0, FIRST.verifier_key),
        (10, SECOND.verifier_key),
        (21, THIRD.verifier_key),
    ]
    copy = fsck.check(collector.store, ORIGIN, "", Options(is_copy=True))
    assert copy.root == fsck.check(gateway.store, ORIGIN).root


def test_a_batch_ends_where_its_key_does():
    view = view_of(grown())

    sent = [view.batch(Send(start, 30)) for start in (0, 9, 10, 20, 21)]

    assert [batch.stop for batch in sent] == [10, 10, 21, 21, 30]
    assert [notes.unverified(batch.note).size for batch in sent] == [10, 10, 21, 21, 30]


def test_a_collector_shows_the_key_that_signs_now():
    gateway, collector = grown(), Collector()

    shown = []
    for stop in (0, 10, 11, 21, 22):
        collector.take_all(gateway, 5, stop)
        shown.append(collector.current)

    assert shown == [key.verifier_key for key in (FIRST, FIRST, SECOND, SECOND, THIRD)]


def test_a_checkpoint_past_the_rotation_by_the_old_key_is_refused():
    """Whoever stole the old key signs the true tree, and more; nothing of it counts."""
    gateway, collector = grown(), Collector()
    collector.take_all(gateway, 5, 10)
    true = view_of(gateway).batch(Send(10, 21))

    for size in (11, 21):
        old = FIRST.sign(size, root_at(gateway, size))
        sent = true._replace(entries=true.entries[: size - 10], note=old)
        refusal = collector.refuses(sent, BadSignatureError)
        assert "whose time ended with entry 10, a rotation" in str(refusal)

    assert collector.take(true).next_index == 21


def test_a_checkpoint_by_the_old_key_is_refused_by_whoever_has_seen_the_rotation():
    gateway, collector = grown(), Collector()
    collector.take_all(gateway, 5, 21)
    stolen = FIRST.sign(21, root_at(gateway, 21))

    batch = view_of(gateway).batch(Send(18, 21))._replace(note=stolen)

    collector.refuses(batch, BadSignatureError)


def test_a_checkpoint_of_before_the_rotation_by_the_new_key_is_refused():
    gateway, collector = grown(), Collector()
    collector.take_all(gateway, 5, 21)

    batch = view_of(gateway).batch(Send(0, 8))
    early = batch._replace(note=SECOND.sign(8, root_at(gateway, 8)), proof=[])

    collector.refuses(early, BadSignatureError)


def test_a_later_key_alone_accepts_nothing_that_it_did_not_sign_too():
    gateway, collector = grown(), Collector(THIRD)
    batch = view_of(gateway).batch(Send(0, 10))
    first_line = FIRST.sign(10, root_at(gateway, 10))

    refusal = collector.refuses(batch._replace(note=first_line), BadSignatureError)

    assert "no signature by" in str(refusal)
    assert collector.take(batch).next_index == 10


def turned(body: bytes, signer: Signer = SECOND) -> FakeGateway:
    """Ten entries as `grown` has them, then a rotation that says `body`, signed by `signer`."""
    gateway = FakeGateway()
    gateway.fill(10)
    gateway.commit(Submission(Draft(ROTATED, "", body)))
    gateway.signer = signer
    gateway.writer = gateway.new_writer()
    gateway.sign()
    return gateway


def statement(old=FIRST, new=SECOND, *, size=10, root=b"", signed_by=None) -> bytes:
    rotation = Rotation(size, root or root_at(grown(), 10), old.verifier_key, new.verifier_key)
    return seal(rotation, (signed_by or old).sign_bytes, new.sign_bytes)


def of_the_last(gateway: FakeGateway):
    """Entry 10 under the newest note."""
    (entry,) = gateway.store.read(lambda reader: reader.entries(10, 11))
    return Batch(ORIGIN, 10, [(entry.leaf, entry.salt, entry.body)], gateway.writer.note, [])


# what the entry says -> the refusal, and a part of it
HOSTILE = {
    "by a stranger": (statement(STRANGER), BadSignatureError, "no signature by"),
    "not by the old key": (statement(signed_by=STRANGER), BadSignatureError, "does not fit"),
    "of another tree": (statement(root=bytes(32)), BadSignatureError, "in another ledger"),
    "of another size": (statement(size=9), BadSignatureError, "another place"),
    "no statement": (b"garbage", MalformedError, "a note is"),
    "no text": (b"\xff", MalformedError, "is text"),
}


@pytest.mark.parametrize(("body", "error", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_rotation_that_is_none_is_refused(body, error, message):
    collector = Collector()
    collector.take_all(grown(), 5, 10)

    refusal = collector.refuses(of_the_last(turned(body)), error)

    assert message in str(refusal)
    assert collector.take(of_the_last(turned(statement()))).next_index == 11


def test_a_rotation_whose_statement_was_deleted_is_refused():
    collector = Collector()
    collector.take_all(grown(), 5, 10)
    batch = of_the_last(turned(statement()))
    ((leaf, salt, _),) = batch.entries

    collector.refuses(batch._replace(entries=[(leaf, salt, None)]), TamperedError)


def test_a_rotation_cannot_hide_a_ledger_that_was_rolled_back():
    """15 entries were signed and seen; somebody sets the ledger back to 10 and rotates."""
    before, after, collector = FakeGateway(), grown(), Collector()
    before.fill(10)
    before.fill(5)
    collector.take(view_of(before).batch(Send(0, 5)))
    collector.take(view_of(after).batch(Send(5, 10)))

    refusal = collector.refuses(view_of(after).batch(Send(10, 21)), ForkedError)

    assert "a checkpoint of 15 was accepted before" in str(refusal)


def test_a_collector_that_lost_its_end_is_told_where_to_go_on_before_any_key_is_asked():
    gateway, collector = grown(), Collector()
    collector.take_all(gateway, 5, 5)

    refusal = collector.refuses(view_of(gateway).batch(Send(25, 30)), OutOfOrderError)

    assert refusal.next_index == 5
    collector.take_all(gateway, 7)
    assert collector.size == 30


def test_an_upstream_may_show_a_note_of_an_earlier_key_for_its_sizes():
    gateway = grown()
    view = view_of(gateway)

    for signer, size in ((FIRST, 10), (SECOND, 21), (THIRD, 30)):
        view.check(Answer(size, signer.sign(size, root_at(gateway, size))))
        with pytest.raises(RolledBackError):
            view.check(Answer(size, signer.sign(size, bytes(32))))


def test_an_old_key_cannot_stop_a_gateway_with_a_note_of_after_its_time():
    gateway = grown()

    for signer, size in ((FIRST, 11), (FIRST, 1 << 40), (SECOND, 22), (STRANGER, 5)):
        view_of(gateway).check(Answer(30, signer.sign(size, bytes(32))))
    with pytest.raises(RolledBackError):
        view_of(gateway).check(Answer(31, THIRD.sign(31, bytes(32))))
