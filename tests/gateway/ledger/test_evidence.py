"""What our own key has signed elsewhere, against the ledger as it is."""

import pytest

from gateway.ledger import rotation
from gateway.ledger.evidence import objection
from gateway.ledger.signer import Signer
from protocol.errors import BadSignatureError, MalformedError, ProtocolError
from protocol.rotation import Keys
from tests.fakes import ORIGIN, SEED, FakeGateway

SEEDS = [SEED, bytes((1,)) * 32, bytes((2,)) * 32]
FIRST, SECOND, THIRD = (Signer(ORIGIN, seed) for seed in SEEDS)


def grown(*rotations: bytes) -> FakeGateway:
    """Ten entries a key."""
    gateway = FakeGateway()
    gateway.fill(10)
    for seed in rotations:
        gateway.rotate(seed)
        gateway.fill(9)
    return gateway


def seen(gateway: FakeGateway, note: str) -> str | None:
    def read(reader):
        keys = rotation.keys_of(reader) or Keys(gateway.signer.verifier_key)
        return objection(reader, keys, note)

    return gateway.store.read(read)


def statement_of(gateway: FakeGateway, index: int) -> str:
    (entry,) = gateway.store.read(lambda reader: reader.entries(index, index + 1))
    return entry.body.decode()


def test_what_the_ledger_goes_on_from_is_no_objection():
    gateway = grown(SEEDS[1])

    notes = [gateway.writer.note, statement_of(gateway, 10)]
    notes.append(gateway.store.read(lambda r: r.state("terminal/10")).decode())

    assert [seen(gateway, note) for note in notes] == [None] * 3


def test_a_checkpoint_of_more_than_there_is_is_an_objection():
    assert "10 entries of test.invalid/ledger, and our 9" in seen(grown_to(9), grown().writer.note)


def grown_to(size: int) -> FakeGateway:
    gateway = FakeGateway()
    gateway.fill(size)
    return gateway


def test_a_checkpoint_of_another_tree_is_an_objection():
    assert "are not what they continue as" in seen(grown(), FIRST.sign(7, bytes(32)))


@pytest.mark.parametrize("known", [(), SEEDS[1:2]], ids=["the first", "the second"])
def test_a_rotation_that_the_ledger_does_not_know_is_an_objection(known):
    """Its checkpoints are by a key that is unknown here; the statement is by ours."""
    after, before = grown(*SEEDS[1:]), grown(*known)
    last = 10 * (len(known) + 1)

    with pytest.raises(BadSignatureError):
        seen(before, after.writer.note)

    assert f"another at entry {last}, of which our {last} entries" in seen(
        before, statement_of(after, last)
    )


FOREIGN = {
    "a checkpoint by another key": lambda: THIRD.sign(99, bytes(32)),
    "a checkpoint by a key whose time has passed": lambda: FIRST.sign(99, bytes(32)),
    "a rotation between keys that are not ours": lambda: statement_of(rotated_elsewhere(), 10),
    "a statement that is cut": lambda: statement_of(grown(SEEDS[1]), 10)[:-5],
    "garbage": lambda: "garbage",
}


def rotated_elsewhere() -> FakeGateway:
    gateway = FakeGateway(seed=SEEDS[2])
    gateway.fill(10)
    gateway.rotate(bytes((7,)) * 32)
    return gateway


@pytest.mark.parametrize("note", FOREIGN.values(), ids=FOREIGN)
def test_what_no_key_of_ours_has_signed_is_nobodys_word(note):
    with pytest.raises(ProtocolError) as refusal:
        seen(grown(SEEDS[1]), note())

    assert isinstance(refusal.value, BadSignatureError | MalformedError)
