import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import note, witnessing
from protocol.checkpoint import Checkpoint
from protocol.errors import MalformedError
from protocol.witnessing import CONFLICT, COSIGN, FORKED, Request
from tests.protocol import oracles, strategies
from tests.protocol.cases import checkpoint as checkpoints
from tests.protocol.cases import witnessing as cases

SIZE = len(cases.ENTRIES)
KEYS = [note.parse_key(checkpoints.vkey(checkpoints.ORIGIN))]
sizes = st.integers(0, SIZE)
proofs = st.lists(strategies.hashes, max_size=witnessing.MAX_PROOF_LINES)


def last(size: int) -> Checkpoint | None:
    root = oracles.root(cases.ENTRIES[:size])
    return Checkpoint(checkpoints.ORIGIN, size, root)


def judged(text: str, held: Checkpoint | None):
    request = witnessing.parse_request(text.encode())
    return witnessing.judge(request, held, KEYS, verify_signature)


@given(strategies.u63, proofs, st.text(max_size=200))
def test_a_request_has_one_spelling(old_size, proof, text):
    request = Request(old_size, proof, text)

    assert witnessing.parse_request(witnessing.format_request(request)) == request


@given(st.binary(max_size=200))
def test_any_request_is_refused_or_has_one_spelling(data):
    try:
        found = witnessing.parse_request(b"old " + data)
    except MalformedError:
        return

    assert witnessing.format_request(found) == b"old " + data


@given(sizes, sizes)
def test_whatever_continues_what_was_cosigned_is_cosigned(old, new):
    old, new = sorted((old, new))

    assert judged(cases.growth(old, new), last(old)).reason == COSIGN


@given(sizes, sizes, sizes)
def test_nothing_is_cosigned_from_another_size_than_the_last(held, old, new):
    old, new = sorted((old, new))
    found = judged(cases.growth(old, new), last(held)).reason

    assert (found == COSIGN) is (held == old)
    assert held == old or found == CONFLICT


@given(st.integers(4, SIZE), st.integers(4, SIZE))
def test_another_history_is_never_cosigned_and_proves_itself_unless_at_a_power_of_two(held, new):
    held, new = sorted((held, new))

    found = judged(cases.growth(held, new, cases.OTHERS), last(held))

    assert found.reason == FORKED
    assert found.proven is (held == new or held & held - 1 != 0)


@given(st.integers(1, SIZE - 1), proofs)
def test_an_honest_checkpoint_with_any_other_proof_proves_nothing(held, proof):
    request = Request(held, proof, cases.note(cases.body(SIZE)))

    found = witnessing.judge(request, last(held), KEYS, verify_signature)

    assert found.proven is False
    assert (found.reason == COSIGN) is (proof == oracles.consistency(held, cases.ENTRIES))


def test_a_request_with_one_letter_changed_is_not_cosigned():
    text = cases.growth(3, 8)

    for index, letter in enumerate(text):
        changed = text[:index] + ("1" if letter == "2" else "2") + text[index + 1 :]
        try:
            found = judged(changed, last(3)).reason
        except MalformedError:
            continue
        assert found != COSIGN


def test_a_witness_that_trusts_nobody_knows_no_origin():
    request = witnessing.parse_request(cases.growth(0, 8).encode())

    found = witnessing.judge(request, None, [], verify_signature)

    assert found.reason == witnessing.UNKNOWN_ORIGIN


@pytest.mark.parametrize("size", [0, 1, 8])
def test_what_may_be_kept_is_the_log_s_own_note(size):
    found = judged(cases.growth(0, size), None)

    assert note.format_note(found.note) == cases.note(cases.body(size))
