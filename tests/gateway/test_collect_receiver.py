"""What a collector takes in, and what it refuses for good."""

import pytest

from gateway.collect.receiver import _MAX_PENDING, _pending, begin, position, receive
from gateway.errors import ForkedError, OutOfOrderError
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from gateway.ledger import fsck
from gateway.ledger.fsck import Options
from gateway.ledger.log import Log, Sealed
from gateway.ledger.signer import Signer
from gateway.store.memory import MemoryStore
from protocol import checkpoint as notes
from protocol.errors import BadSignatureError, MalformedError, TamperedError
from tests.fakes import ORIGIN, SEED, FakeDevice, FakeGateway

KEY = Signer(ORIGIN, SEED).verifier_key
OTHER = Signer(ORIGIN, bytes(32))
COPY = Options(is_copy=True)


def batch_of(gateway: FakeGateway, start: int, stop: int, note: str = ""):
    """Entries [start, stop) under `note`, or under a checkpoint signed now."""
    view = LedgerView(gateway.store, gateway.signer, lambda: note or gateway.sign())
    return view.batch(Send(start, stop))


def grown(size: int, other_from: int | None = None) -> FakeGateway:
    """A ledger of `size`; from `other_from` on its entries are not those of the others."""
    gateway, shed, cellar = FakeGateway(), FakeDevice("shed"), FakeDevice("cellar")
    for n in range(size):  # one by one: then equal histories are equal in their salts, too
        device = shed if other_from is None or n < other_from else cellar
        gateway.commit(device.submission(n))
    gateway.sign()
    return gateway


@pytest.fixture
def held():
    store = MemoryStore()
    store.transact(lambda t: begin(t, ORIGIN))
    return store


def take(held, batch, key=KEY):
    return held.transact(lambda t: receive(t, batch, key))


def refused(held, batch, error, key=KEY):
    """The refusal; nothing may have been kept."""
    before = held.read(lambda r: (position(r), Log.load(r).root()))
    with pytest.raises(error) as refusal:
        take(held, batch, key)
    assert held.read(lambda r: (position(r), Log.load(r).root())) == before
    return refusal.value


@pytest.mark.parametrize("step", [1, 3, 100, 300])
def test_a_ledger_arrives_whole_whatever_the_batches(held, step):
    gateway = grown(300)

    for start in range(0, 300, step):
        found = take(held, batch_of(gateway, start, min(start + step, 300)))

    assert found == (300, gateway.writer.note)
    assert fsck.check(held, ORIGIN, found.note, COPY).root == fsck.check(gateway.store, ORIGIN).root


def test_a_repeated_batch_changes_nothing(held):
    gateway = grown(10)
    batch = batch_of(gateway, 0, 6)

    first, again = take(held, batch), take(held, batch)

    assert first == again == (6, gateway.writer.note)
    assert fsck.check(held, ORIGIN, "", COPY).entries == 6


def test_a_batch_that_overlaps_extends(held):
    gateway = grown(10)
    take(held, batch_of(gateway, 0, 6))

    assert take(held, batch_of(gateway, 3, 9)).next_index == 9
    assert fsck.check(held, ORIGIN, "", COPY).valid


def test_a_repeat_under_a_newer_checkpoint_does_not_vouch_for_what_it_does_not_reach(held):
    gateway, device = grown(10), FakeDevice("late")
    take(held, batch_of(gateway, 0, 10))
    first = gateway.writer.note
    gateway.commit(device.submission(0))

    found = take(held, batch_of(gateway, 0, 6))

    assert found == (10, first)
    assert take(held, batch_of(gateway, 10, 11)).next_index == 11


def test_an_empty_batch_brings_a_newer_checkpoint(held):
    gateway = grown(10)
    take(held, batch_of(gateway, 0, 5, gateway.signer.sign(5, _root(gateway, 5))))

    assert take(held, batch_of(gateway, 5, 5)) == (5, gateway.writer.note)


def test_an_older_checkpoint_does_not_replace_a_newer_one(held):
    gateway = grown(10)
    older = gateway.signer.sign(8, _root(gateway, 8))
    take(held, batch_of(gateway, 0, 5))

    assert take(held, batch_of(gateway, 5, 7, older)) == (7, gateway.writer.note)


def _root(gateway, size):
    return gateway.store.read(lambda r: _rooted(r, size))


def _rooted(reader, size):
    sealed = [Sealed(e.leaf, e.salt, e.body) for e in reader.entries(0, size)]
    return Log.empty().extended(sealed).log.root()


def test_a_gap_is_out_of_order_and_says_where_to_go_on(held):
    gateway = grown(10)
    take(held, batch_of(gateway, 0, 4))

    assert refused(held, batch_of(gateway, 6, 8), OutOfOrderError).next_index == 4


def edited(batch, index=0, **part):
    """The batch with one entry's leaf, salt or body changed."""
    leaf, salt, body = batch.entries[index]
    entries = list(batch.entries)
    entries[index] = (part.get("leaf", leaf), part.get("salt", salt), part.get("body", body))
    return batch._replace(entries=entries)


# what arrives instead of entries [4, 8) -> the refusal
REFUSED = {
    "body": (lambda b: edited(b, 2, body=b"other"), TamperedError),
    "salt": (lambda b: edited(b, 2, salt=bytes(16)), TamperedError),
    "leaf": (lambda b: edited(b, 2, leaf=b.entries[1][0], body=None), ForkedError),
    "leaf that is none": (lambda b: edited(b, 2, leaf=b"\x80", body=None), MalformedError),
    "swapped": (lambda b: b._replace(entries=b.entries[::-1]), ForkedError),
    "one missing": (lambda b: b._replace(entries=b.entries[1:]), ForkedError),
    "one twice": (lambda b: b._replace(entries=[*b.entries[:3], b.entries[2]]), ForkedError),
    "no proof": (lambda b: b._replace(proof=[]), ForkedError),
    "bad proof": (lambda b: b._replace(proof=[bytes(32), *b.proof[1:]]), ForkedError),
    "long proof": (lambda b: b._replace(proof=[*b.proof, bytes(32)]), ForkedError),
    "another origin": (lambda b: b._replace(origin="other"), MalformedError),
    "no note": (lambda b: b._replace(note=""), MalformedError),
    "foreign note": (lambda b: b._replace(note=OTHER.sign(10, bytes(32))), BadSignatureError),
    "a changed note": (
        lambda b: b._replace(note=b.note.replace("\n10\n", "\n11\n")),
        BadSignatureError,
    ),
    "past the checkpoint": (
        lambda b: b._replace(note=Signer(ORIGIN, SEED).sign(7, bytes(32)), proof=[]),
        MalformedError,
    ),
}


@pytest.mark.parametrize(("edit", "error"), REFUSED.values(), ids=REFUSED)
def test_a_batch_that_does_not_fit_is_refused_and_nothing_is_kept(held, edit, error):
    gateway = grown(10)
    take(held, batch_of(gateway, 0, 4))

    refused(held, edit(batch_of(gateway, 4, 8)), error)

    assert take(held, batch_of(gateway, 4, 8)).next_index == 8


def test_a_ledger_signed_by_another_key_is_refused(held):
    refused(held, batch_of(grown(3), 0, 3), BadSignatureError, OTHER.verifier_key)


def test_a_fork_in_what_we_hold_is_refused(held):
    take(held, batch_of(grown(10), 0, 8))

    refusal = refused(held, batch_of(grown(12, other_from=5), 4, 12), ForkedError)

    assert "entry 5 was another one" in str(refusal)


def test_a_fork_behind_the_overlap_is_refused(held):
    """The repeated entries are the same, but the tree they are shown in is not ours."""
    take(held, batch_of(grown(10), 0, 10))

    refused(held, batch_of(grown(10, other_from=7), 0, 5), ForkedError)
    refused(held, batch_of(grown(9, other_from=7), 0, 5), ForkedError)


def test_a_fork_further_on_does_not_become_the_checkpoint_we_hold(held):
    honest = grown(10)
    take(held, batch_of(honest, 0, 10))

    found = take(held, batch_of(grown(12, other_from=7), 0, 5))

    assert found == (10, honest.writer.note)


def test_two_trees_signed_at_one_size_are_refused(held):
    take(held, batch_of(grown(10), 0, 4))

    refusal = refused(held, batch_of(grown(10, other_from=7), 4, 6), ForkedError)

    assert "two different trees were signed at size 10" in str(refusal)


def test_entries_that_contradict_an_earlier_larger_checkpoint_are_refused(held):
    """At size 4 nothing was wrong yet; the checkpoint of 10 binds what came later."""
    take(held, batch_of(grown(10), 0, 4))
    forked = grown(12, other_from=7)
    older = forked.signer.sign(6, _root(forked, 6))
    take(held, batch_of(forked, 4, 6, older))

    refusal = refused(held, batch_of(forked, 6, 12), ForkedError)

    assert "not those signed at size 10 before" in str(refusal)


def test_a_deleted_body_arrives_as_deleted(held):
    batch = edited(batch_of(grown(3), 0, 3), 1)
    leaf, salt, _ = batch.entries[1]
    batch.entries[1] = (leaf, salt, None)

    take(held, batch)

    assert [e.body is None for e in held.read(lambda r: r.entries(0, 3))] == [False, True, False]
    assert notes.unverified(held.read(position).note).size == 3


def test_every_checkpoint_that_was_accepted_binds_not_only_the_last(held):
    """A is replaced by B before the entries reach A: a fork between them is still found."""
    honest, forked = grown(90), grown(120, other_from=60)
    take(held, batch_of(honest, 0, 30))  # under A, over 90 entries
    take(held, batch_of(forked, 30, 50))  # under B, over 120 others, the same until 60

    refusal = refused(held, batch_of(forked, 50, 120), ForkedError)

    assert "not those signed at size 90 before" in str(refusal)


def test_a_checkpoint_that_cannot_be_kept_is_not_said_to_be_accepted(held):
    """Else what it covers could be contradicted later, and nobody would notice."""
    gateway = grown(90)
    for size in range(6, 6 + _MAX_PENDING):
        take(held, batch_of(gateway, 0, 5, gateway.signer.sign(size, _root(gateway, size))))

    found = take(held, batch_of(gateway, 0, 5))

    assert notes.unverified(found.note).size == 5 + _MAX_PENDING
    assert len(held.read(_pending)) == _MAX_PENDING
    assert take(held, batch_of(gateway, 5, 90)) == (90, gateway.writer.note)


def test_a_checkpoint_is_forgotten_once_its_entries_have_come(held):
    gateway = grown(90)
    take(held, batch_of(gateway, 0, 30))
    assert held.read(lambda r: len(_pending(r))) == 1

    take(held, batch_of(gateway, 30, 90))

    assert held.read(_pending) == []
