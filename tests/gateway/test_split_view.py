"""A split view: one key signs two histories, and shows one to each of two witnesses."""

import pytest

from gateway.ledger import proofs
from gateway.ledger.signer import verify_signature
from protocol import checkpoint as checkpoints
from protocol import merkle
from protocol import note as notes
from protocol import policy as policies
from protocol.errors import BadSignatureError, ProtocolError
from protocol.merkle import leaf_hash
from protocol.proof import check, format_proof, parse_proof
from protocol.witnessing import CONFLICT, COSIGN, FORKED
from tests.fakes import ORIGIN
from tests.gateway.witnesses import VKEY, asking, grown, made, opened, root_of

SIZE = 21
ONE, OTHER = grown(SIZE), grown(SIZE, other_from=9)


@pytest.fixture
def witnesses(tmp_path):
    """The first has cosigned ONE, the second OTHER."""
    both = [opened(made(tmp_path / name, name)) for name in ("first", "second")]
    for witness, ledger in zip(both, (ONE, OTHER), strict=True):
        assert witness.add(asking(ledger, 0, SIZE)).reason == COSIGN
    yield both
    for witness in both:
        witness.close()


def policy_of(witnesses, threshold):
    vkeys = [notes.format_key(witness.key) for witness in witnesses]
    return policies.parse(
        f"log {VKEY}\nwitness a {vkeys[0]}\nwitness b {vkeys[1]}\n"
        f"group g {threshold} a b\nquorum g\n".encode()
    )


def proof_of(ledger, note, index=12):
    """The proof of an entry, as a gateway makes it and a stranger reads it."""
    made_ = ledger.store.read(lambda reader: proofs.inclusion(reader, note, index))
    leaf = ledger.store.read(lambda reader: reader.entries(index, index + 1))[0].leaf
    return made_, leaf_hash(leaf)


def test_two_of_two_refuse_both_histories_and_one_of_two_cannot_tell(witnesses):
    for witness, ledger in zip(witnesses, (ONE, OTHER), strict=True):
        proof, leaf = proof_of(ledger, witness.latest(ORIGIN))
        check(proof, leaf)
        note = notes.parse_note(proof.note)

        assert policies.log_key(policy_of(witnesses, 2), note, ORIGIN, verify_signature)
        assert policies.check(policy_of(witnesses, 1), note, verify_signature)
        with pytest.raises(BadSignatureError, match="not the policy's quorum"):
            policies.check(policy_of(witnesses, 2), note, verify_signature)


def test_each_witness_refuses_what_the_other_was_shown_and_keeps_it(witnesses):
    before = [witness.latest(ORIGIN) for witness in witnesses]

    shown = list(zip(witnesses, (OTHER, ONE), strict=True))
    from_nothing = [witness.add(asking(ledger, 0, SIZE)).reason for witness, ledger in shown]
    from_there = [witness.add(asking(ledger, SIZE, SIZE)).reason for witness, ledger in shown]

    assert (from_nothing, from_there) == ([CONFLICT] * 2, [FORKED] * 2)
    assert [witness.latest(ORIGIN) for witness in witnesses] == before
    for witness, ledger in zip(witnesses, (OTHER, ONE), strict=True):
        (found,) = witness.evidence(ORIGIN)
        assert (found.proven, found.note) == (True, ledger.writer.note)


def test_the_two_notes_alone_prove_the_fork_to_anyone_with_the_verifier_key(witnesses):
    key = notes.parse_key(VKEY)

    one, other = [
        checkpoints.open_note(witness.latest(ORIGIN), key, verify_signature)
        for witness in witnesses
    ]

    assert one.size == other.size
    assert one.root != other.root


def test_what_a_witness_kept_of_a_longer_fork_proves_it_too(witnesses):
    """The sizes differ: then it takes the proof that came with the second one."""
    longer = grown(SIZE + 3, other_from=9)
    witnesses[0].add(asking(longer, SIZE, SIZE + 3))
    (found,) = witnesses[0].evidence(ORIGIN)
    key = notes.parse_key(VKEY)

    held = checkpoints.open_note(found.held, key, verify_signature)
    new = checkpoints.open_note(found.note, key, verify_signature)
    proof = [notes.unb64(line) for line in found.proof.split()]
    roots = merkle.roots_from_consistency(held.size, held.root, new.size, proof)

    assert roots == (root_of(longer, SIZE), new.root)
    assert roots[0] != held.root


def test_an_entry_of_one_history_is_not_under_the_other_s_checkpoint(witnesses):
    proof, _ = proof_of(ONE, witnesses[0].latest(ORIGIN))
    _, others = proof_of(OTHER, witnesses[1].latest(ORIGIN))

    with pytest.raises(ProtocolError):
        check(parse_proof(format_proof(proof)), others)
