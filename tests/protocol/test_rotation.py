import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import note, rotation
from protocol.errors import BadSignatureError, ProtocolError
from protocol.rotation import Keys, Rotation
from tests.protocol import oracles, strategies
from tests.protocol.cases import rotation as cases

ROOT = bytes(range(32))
KEYS = [note.parse_key(cases.vkey(cases.ORIGIN, seed)) for seed in cases.SEEDS]


def signing(n: int):
    return oracles.ed25519(cases.SEEDS[n]).sign


def statement(size: int = 8, root: bytes = ROOT, old: int = 0, new: int = 1) -> Rotation:
    return Rotation(size, root, KEYS[old], KEYS[new])


def sealed(says: Rotation, old: int = 0, new: int = 1) -> bytes:
    return rotation.seal(says, signing(old), signing(new))


def opened(body: bytes):
    """What the statement says, or None where it was refused."""
    try:
        return rotation.open_sealed(body, verify_signature)
    except ProtocolError:
        return None


@given(strategies.u63, strategies.hashes)
def test_a_statement_says_what_both_keys_signed(size, root):
    says = statement(size, root)

    assert opened(sealed(says)) == says
    assert sealed(says).decode() == cases.signed(
        cases.text(size, root.hex()), cases.SEEDS[0], cases.SEEDS[1]
    )


def test_every_prefix_and_every_changed_byte_of_a_statement_is_refused():
    body = sealed(statement())

    for damaged in (*strategies.prefixes(body), *strategies.changed_bytes(body)):
        assert opened(damaged) is None


@pytest.mark.parametrize(("old", "new"), [(0, 2), (2, 1), (1, 0)])
def test_a_statement_needs_the_signature_of_each_of_its_two_keys(old, new):
    assert opened(sealed(statement(), old, new)) is None


@given(st.lists(st.integers(0, 50), unique=True, max_size=3).map(sorted), st.integers(0, 60))
def test_a_size_is_signed_by_the_key_of_the_last_rotation_before_it(rotated_at, size):
    keys = Keys(KEYS[0])
    for old, at in enumerate(rotated_at):
        keys.rotate(statement(at, ROOT, old, old + 1), at, ROOT)

    passed = sum(at < size for at in rotated_at)

    assert keys.at(size) == KEYS[passed]
    assert keys.current == KEYS[len(rotated_at)]
    assert [size for size, _ in keys.epochs] == [0, *rotated_at]
    assert Keys.parse(keys.lines()).epochs == keys.epochs


def test_a_refused_rotation_leaves_the_keys_as_they_were():
    keys = Keys(KEYS[0])
    keys.rotate(statement(8), 8, ROOT)
    before = keys.lines()

    with pytest.raises(BadSignatureError, match="had its time"):
        keys.rotate(statement(9, ROOT, 1, 0), 9, ROOT)

    assert keys.lines() == before
    assert [keys.trusts(key) for key in KEYS] == [True, True, False, False]


def test_the_epochs_handed_out_are_a_copy():
    keys = Keys(KEYS[0])

    keys.epochs.append((1, KEYS[1]))

    assert keys.current == KEYS[0]
