import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import note, policy
from protocol.errors import BadSignatureError, MalformedError
from protocol.note import Note
from tests.protocol.cases import checkpoint as checkpoints
from tests.protocol.cases import policy as cases

PUBLISHED = policy.parse(cases.PUBLISHED.encode())
NAMES = [name.encode() for name in cases.VKEYS]


def opened(names: str) -> Note:
    return note.parse_note(cases._note(names.split()))


def test_the_published_example_needs_two_of_one_group_and_one_of_the_other():
    for count in range(len(NAMES) + 1):
        for names in itertools.combinations(NAMES, count):
            xs = [name for name in names if name.startswith(b"X")]
            enough = len(xs) >= 2 and len(xs) < len(names)

            assert policy.is_enough(PUBLISHED, set(names)) is enough


def test_who_cosigned_is_told_with_the_time():
    cosigned = policy.check(PUBLISHED, opened("X2 X3 Y2"), verify_signature)

    assert [name for name, _ in cosigned] == ["X2.example", "X3.example", "Y2.example"]


@pytest.mark.parametrize(("names", "seen"), [("", "nobody"), ("X1 Y1", "X1.example, Y1.example")])
def test_a_note_below_the_quorum_is_refused_with_who_did_cosign(names, seen):
    with pytest.raises(BadSignatureError, match=f"cosigned by {seen}: "):
        policy.check(PUBLISHED, opened(names), verify_signature)


def test_the_key_of_the_log_that_signed_is_told():
    key = policy.log_key(PUBLISHED, opened(""), checkpoints.ORIGIN, verify_signature)

    assert key == note.parse_key(checkpoints.vkey(checkpoints.ORIGIN))


def test_a_log_that_is_not_in_the_policy_is_refused():
    with pytest.raises(BadSignatureError, match="the policy has no log other"):
        policy.log_key(PUBLISHED, opened(""), "other", verify_signature)


def test_a_log_that_has_two_keys_may_sign_with_either():
    two = policy.parse(f"log {checkpoints.vkey(checkpoints.ORIGIN, bytes(32))}\n".encode()
                       + cases.PUBLISHED.encode())  # fmt: skip

    key = policy.log_key(two, opened(""), checkpoints.ORIGIN, verify_signature)

    assert key == note.parse_key(checkpoints.vkey(checkpoints.ORIGIN))


def test_a_note_that_the_log_did_not_sign_is_refused():
    unsigned = Note(checkpoints.BODY, [])

    with pytest.raises(BadSignatureError, match="no signature by"):
        policy.log_key(PUBLISHED, unsigned, checkpoints.ORIGIN, verify_signature)


@given(st.binary(max_size=200))
def test_any_file_is_refused_or_has_a_quorum(data):
    try:
        found = policy.parse(data)
    except MalformedError:
        return

    assert found.quorum == policy.NONE


def test_every_line_of_the_example_is_needed():
    lines = [line for line in cases.PUBLISHED.splitlines(keepends=True) if line.strip()]

    for cut in range(1, len(lines)):
        with pytest.raises(MalformedError):
            policy.parse("".join(lines[:cut] + lines[cut + 1 :]).encode())
