"""Proofs out of a stored ledger, and what is signed for them."""

import pytest

from gateway.errors import IntegrityError, NotFoundError, UnsignedError
from gateway.ledger import proofs
from gateway.ledger.proofs import ReceiptSigner
from gateway.ledger.signer import Signer, verify_signature
from protocol import checkpoint as checkpoints
from protocol import cose_receipt, merkle
from protocol import leaf as leaves
from protocol import proof as texts
from protocol.cose_receipt import Inclusion
from protocol.tile import ENTRIES, Tile
from tests.fakes import ORIGIN, SEED, FakeDevice, FakeGateway

SIZE = 600


class CountingSigner(Signer):
    """Remembers what it was asked to sign."""

    def __init__(self, seed=SEED):
        super().__init__(ORIGIN, seed)
        self.messages = []

    def sign_bytes(self, message):
        self.messages.append(message)
        return super().sign_bytes(message)


@pytest.fixture(scope="module")
def filled():
    gateway = FakeGateway()
    gateway.fill(SIZE)
    return gateway


@pytest.fixture
def small():
    gateway = FakeGateway()
    gateway.fill(5)
    return gateway


def proved(gateway, index):
    return gateway.store.read(lambda r: proofs.inclusion(r, gateway.writer.note, index))


def hashed(gateway, index):
    return gateway.store.read(lambda r: merkle.leaf_hash(r.entries(index, index + 1)[0].leaf))


def tamper(gateway, index, **changes):
    """Changes what is stored of one entry."""
    entries = gateway.store._data._entries  # the disk of a store in memory
    fields = {name: getattr(entries[index], name) for name in entries[index].__struct_fields__}
    entries[index] = type(entries[index])(**fields | changes)


@pytest.mark.parametrize("index", [0, 1, 254, 255, 256, 511, 512, 598, 599])
def test_an_entry_is_proved_with_what_it_holds(filled, index):
    made = proved(filled, index)

    (stored,) = filled.store.read(lambda r: r.entries(index, index + 1))
    assert leaves.decode_entry(made.extra) == (stored.leaf, stored.salt, stored.body)
    assert texts.check(made, merkle.leaf_hash(stored.leaf)).size == SIZE
    assert texts.parse_proof(texts.format_proof(made)) == made


def test_an_entry_whose_body_was_deleted_is_proved_without_it(small):
    tamper(small, 2, body=None)

    made = proved(small, 2)

    leaf, salt, body = leaves.decode_entry(made.extra)
    assert (salt, body) == (b"", None)
    assert texts.check(made, merkle.leaf_hash(leaf)).size == 5


def test_there_is_no_proof_of_what_is_not_in_the_ledger(small):
    with pytest.raises(NotFoundError, match="no entry 5"):
        proved(small, 5)


def test_there_is_no_proof_of_what_no_checkpoint_covers(small):
    small.commit(FakeDevice().submission(5))

    with pytest.raises(UnsignedError, match="entry 5 is not under a checkpoint yet: 5"):
        proved(small, 5)
    assert proved(small, 4).index == 4
    small.writer.note = ""
    with pytest.raises(UnsignedError, match="0 entries are"):
        proved(small, 4)


@pytest.mark.parametrize("changes", [{"body": b"evil"}, {"salt": bytes(16)}])
def test_a_body_that_is_not_the_committed_one_is_never_proved(small, changes):
    tamper(small, 2, **changes)

    with pytest.raises(IntegrityError, match="entry 2: the stored body is not"):
        proved(small, 2)


def test_no_entry_is_proved_in_a_tree_that_is_not_the_signed_one(small):
    tamper(small, 2, leaf=b"\x80", body=None)

    for index in range(5):
        with pytest.raises(IntegrityError, match=f"entry {index}: the stored tree"):
            proved(small, index)
    with pytest.raises(IntegrityError, match="entry 3: the stored tree"):
        small.store.read(lambda r: proofs.continues(r, 3, signed(small)))


def test_missing_rows_are_an_integrity_error_and_not_a_crash(filled):
    gateway = FakeGateway()
    gateway.fill(SIZE)
    del gateway.store._data._nodes[8, 1]

    for attempt in (
        lambda r: proofs.inclusion(r, gateway.writer.note, 5),
        lambda r: proofs.tile_bytes(r, Tile(1, 0, 2)),
        lambda r: proofs.tile_bytes(r, Tile(0, 2, 89)),
        lambda r: proofs.tile_bytes(r, Tile(ENTRIES, 2, 89)),
    ):
        with pytest.raises(IntegrityError, match="missing"):
            gateway.store.read(attempt)


def signed(gateway):
    return checkpoints.open_note(gateway.writer.note, gateway.signer.verifier_key, verify_signature)


@pytest.mark.parametrize("old", [1, 2, 3, 4])
def test_the_signed_tree_is_proved_to_continue_every_smaller_one(small, old):
    made = small.store.read(lambda r: proofs.continues(r, old, signed(small)))

    frontier = merkle.Frontier()
    for index in range(old):
        frontier.add(hashed(small, index))
    assert merkle.is_consistent(old, frontier.root(), 5, signed(small).root, made.path)


def test_a_checkpoint_costs_one_signature_however_many_receipts_are_under_it(small):
    signer = CountingSigner()
    receipts = ReceiptSigner(signer)

    roots = [receipts.signed(small.writer.note) for _ in range(10)]
    small.fill(1)
    later = receipts.signed(small.writer.note)

    assert len(signer.messages) == 2
    assert {root.checkpoint.size for root in roots} == {5}
    assert later.checkpoint.size == 6


def test_a_receipt_is_checked_with_the_key_of_the_checkpoint(small):
    made = proved(small, 3)
    root = ReceiptSigner(CountingSigner()).signed(small.writer.note)

    receipt = cose_receipt.decode(root.receipt(Inclusion(3, made.path, made.extra)))

    key = small.signer.verifier_key
    found = cose_receipt.check_inclusion(receipt, hashed(small, 3), key, verify_signature)
    assert found == signed(small)


@pytest.mark.parametrize("forge", [lambda note: "", lambda note: note.replace("\n5\n", "\n6\n")])
def test_nothing_is_signed_that_is_not_signed_as_a_checkpoint(small, forge):
    signer = CountingSigner()

    with pytest.raises(UnsignedError):
        ReceiptSigner(signer).signed(forge(small.writer.note))

    assert signer.messages == []


def test_a_key_signs_no_receipt_under_the_checkpoint_of_another(small):
    successor = CountingSigner(bytes(32))

    with pytest.raises(UnsignedError, match="the present key has signed nothing yet"):
        ReceiptSigner(successor).signed(small.writer.note)

    assert successor.messages == []
