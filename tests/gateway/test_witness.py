"""A witness: what it cosigns, remembers and refuses, over its real table."""

import threading

import pytest

from gateway.errors import BusyError
from gateway.ledger.signer import Signer
from gateway.store import witness as tables
from gateway.store.witness import Evidence
from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol.errors import BadSignatureError, MalformedError
from protocol.witnessing import CONFLICT, COSIGN, FORKED, UNKNOWN_ORIGIN, Request
from tests.fakes import NOW_MS, ORIGIN, SEED, FakeGateway
from tests.gateway.witnesses import (
    VKEY,
    Clock,
    asking,
    grown,
    made,
    note_of,
    opened,
    root_of,
    time_of,
)

SIZE = 20
NEW_SEED = bytes(32)


@pytest.fixture(scope="module")
def ledger():
    return grown(SIZE)


@pytest.fixture
def path(tmp_path):
    return made(tmp_path / "neighbour")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def witness(path, clock):
    witness = opened(path, clock=clock)
    yield witness
    witness.close()


def test_a_checkpoint_is_cosigned_with_the_witness_s_clock(witness, ledger):
    answer = witness.add(asking(ledger, 0, 7))

    assert (answer.reason, answer.size) == (COSIGN, 7)
    assert answer.note == note_of(ledger, 7) + answer.line
    assert time_of(witness, answer.note) == NOW_MS // 1000


def test_what_continues_the_last_one_is_cosigned_at_every_size(witness, ledger):
    for old, size in ((0, 1), (1, 2), (2, 3), (3, 8), (8, 8), (8, 13), (13, 20)):
        assert witness.add(asking(ledger, old, size)).reason == COSIGN
        assert checkpoints.unverified(witness.latest(ORIGIN)).size == size


def test_another_size_than_the_last_one_is_told_the_last_one(witness, ledger):
    witness.add(asking(ledger, 0, 7))

    answers = [witness.add(asking(ledger, old, size)) for old, size in ((0, 9), (3, 7), (9, 12))]

    assert [(a.reason, a.size, a.note) for a in answers] == [(CONFLICT, 7, "")] * 3


def test_what_was_cosigned_is_remembered_over_a_restart(path, ledger):
    before = opened(path)
    note = before.add(asking(ledger, 0, 7)).note
    before.close()

    after = opened(path)

    assert (after.latest(ORIGIN), after.origins()) == (note, [ORIGIN])
    assert after.add(asking(ledger, 0, 9)).reason == CONFLICT
    after.close()


def test_the_same_checkpoint_again_costs_no_write_within_a_minute(witness, ledger, clock):
    first = witness.add(asking(ledger, 0, 7))
    clock.now_ms += 59_000
    again = witness.add(asking(ledger, 7, 7))
    clock.now_ms += 1_000
    later = witness.add(asking(ledger, 7, 7))

    assert again.note == first.note
    assert time_of(witness, later.note) == NOW_MS // 1000 + 60


def test_a_clock_that_went_back_does_not_put_a_larger_tree_before_a_smaller(witness, ledger, clock):
    witness.add(asking(ledger, 0, 7))
    clock.now_ms -= 3_600_000

    assert time_of(witness, witness.add(asking(ledger, 7, 9)).note) == NOW_MS // 1000


def test_a_clock_that_is_not_set_cosigns_nothing(witness, ledger, clock):
    clock.now_ms = 1000

    with pytest.raises(BusyError, match="clock is not set"):
        witness.add(asking(ledger, 0, 7))

    assert witness.latest(ORIGIN) == ""


def test_lines_that_nobody_asked_for_are_not_kept(witness, ledger):
    stranger = notes.format_signature(notes.Signature("stranger", b"0123", bytes(64)))
    request = asking(ledger, 0, 7)

    answer = witness.add(request._replace(note=request.note + stranger))

    assert "stranger" not in answer.note


def test_a_ledger_that_is_not_trusted_is_not_known(path, ledger):
    witness = opened(path, trust=())

    answer = witness.add(asking(ledger, 0, 7))

    assert (answer.reason, witness.origins()) == (UNKNOWN_ORIGIN, [])
    witness.close()


def test_a_note_by_another_key_is_refused_and_nothing_is_remembered(witness):
    forged = Signer(ORIGIN, NEW_SEED).sign(7, bytes(32))

    answer = witness.add(Request(0, [], forged))

    assert (answer.reason, witness.latest(ORIGIN)) == (BadSignatureError.reason, "")


def test_what_is_no_checkpoint_is_refused(witness):
    for text in ("", "text", "text\n\n", f"{ORIGIN}\n1\n\n\u2014 a AAAAAAA=\n"):
        with pytest.raises(MalformedError):
            witness.add(Request(0, [], text))


def test_another_history_is_refused_and_kept_beside_what_was_cosigned(witness, ledger):
    other = grown(SIZE, other_from=4)
    held = witness.add(asking(ledger, 0, 7)).note

    larger, same = witness.add(asking(other, 7, 9)), witness.add(asking(other, 3, 7))

    assert [(a.reason, a.note) for a in (larger, same)] == [(FORKED, ""), (CONFLICT, "")]
    assert witness.latest(ORIGIN) == held
    kept = witness.evidence(ORIGIN)
    assert [(e.held, e.note, e.proven, e.seen_ms) for e in kept] == [
        (held, note_of(other, 9), True, NOW_MS),
        (held, note_of(other, 7), True, NOW_MS),
    ]
    assert [notes.unb64(line) for line in kept[0].proof.split()] == asking(other, 7, 9).proof


def test_an_honest_checkpoint_with_a_false_proof_is_no_evidence(witness, ledger):
    witness.add(asking(ledger, 0, 7))

    answer = witness.add(asking(ledger, 7, 9)._replace(proof=[bytes(32)]))

    assert (answer.reason, witness.evidence(ORIGIN)) == (FORKED, [])


def test_the_first_contradictions_are_kept_and_the_others_cannot_fill_the_disk(witness, ledger):
    witness.add(asking(ledger, 0, 7))
    signer = Signer(ORIGIN, SEED)

    for n in range(tables.MAX_EVIDENCE + 5):
        witness.add(Request(7, [], signer.sign(7, bytes((n,)) * 32)))
        witness.add(Request(7, [], signer.sign(7, bytes(32))))
        witness.accuse(ORIGIN, Evidence("held", f"note {n}", "", proven=False))

    kept = witness.evidence(ORIGIN)
    roots = [checkpoints.unverified(e.note).root[0] for e in kept if e.proven]
    assert roots == list(range(tables.MAX_EVIDENCE))
    assert [e.note for e in kept if not e.proven] == [f"note {n}" for n in range(16)]


# --- keys that change -----------------------------------------------------------------------


def renewed(ledger: FakeGateway, size: int) -> str:
    """The same tree, signed by the ledger's next key."""
    return Signer(ORIGIN, NEW_SEED).sign(size, root_of(ledger, size))


def test_once_a_later_key_was_seen_an_earlier_one_counts_no_more(path, ledger):
    witness = opened(path, (VKEY, Signer(ORIGIN, NEW_SEED).verifier_text))
    old = witness.add(asking(ledger, 0, 7)).reason
    new = witness.add(asking(ledger, 7, 9)._replace(note=renewed(ledger, 9))).reason

    back = witness.add(asking(ledger, 9, 12)).reason

    assert (old, new, back) == (COSIGN, COSIGN, BadSignatureError.reason)
    assert checkpoints.unverified(witness.latest(ORIGIN)).size == 9
    witness.close()


# --- the race of the specification ----------------------------------------------------------


def test_of_two_requests_at_once_one_wins_and_the_size_never_goes_back(witness, ledger):
    outcomes: list[tuple[int, str]] = []
    barrier = threading.Barrier(8)

    def ask(size: int) -> None:
        request = asking(ledger, 0, size)
        barrier.wait()
        outcomes.append((size, witness.add(request).reason))

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(5, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (winner,) = [size for size, reason in outcomes if reason == COSIGN]
    assert sorted(reason for _, reason in outcomes) == [CONFLICT] * 7 + [COSIGN]
    assert checkpoints.unverified(witness.latest(ORIGIN)).size == winner


def test_requests_that_race_for_long_only_ever_move_forward(witness, ledger):
    seen: list[int] = []

    def ask(first: int) -> None:
        for size in range(first, SIZE + 1, 4):
            last = checkpoints.unverified(witness.latest(ORIGIN) or note_of(ledger, 0)).size
            if last <= size and witness.add(asking(ledger, last, size)).reason == COSIGN:
                seen.append(size)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert checkpoints.unverified(witness.latest(ORIGIN)).size == max(seen)
    assert witness.evidence(ORIGIN) == []
