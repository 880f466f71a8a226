import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import leaf as leaves
from protocol.audit import Audit
from protocol.checkpoint import Checkpoint
from protocol.errors import TamperedError
from protocol.leaf import Leaf
from tests.protocol import oracles

SALT = bytes(range(16))
bodies = st.lists(st.binary(max_size=10), min_size=1, max_size=40)


def _leaf(body):
    return leaves.encode(Leaf("event", 1_000, 1, "test", leaves.hash_body(SALT, body)))


def _signed(found):
    """A checkpoint over the leaves of `found`."""
    return Checkpoint("test", len(found), oracles.root([_leaf(body) for body in found]))


def _add_all(audit, found):
    for body in found:
        audit.add(_leaf(body), SALT, body)


def _state(audit):
    return audit.size, audit.chain, audit.root()


@given(bodies, st.data())
def test_a_true_ledger_satisfies_any_of_its_checkpoints(found, data):
    audit = Audit()
    for size in data.draw(st.lists(st.integers(0, len(found)), max_size=5)):
        audit.expect(_signed(found[:size]))

    _add_all(audit, found)

    assert audit.size == len(found)
    assert audit.root() == _signed(found).root


@given(bodies, st.data())
def test_another_body_under_a_new_leaf_is_found_at_the_next_checkpoint(found, data):
    size = data.draw(st.integers(1, len(found)))
    index = data.draw(st.integers(0, size - 1))
    audit = Audit()
    audit.expect(_signed(found[:size]))
    forged = [*found[:index], found[index] + b"!", *found[index + 1 :]]

    with pytest.raises(TamperedError) as caught:
        _add_all(audit, forged)

    assert caught.value.index == size - 1


def test_a_refused_entry_leaves_the_audit_as_it_was():
    audit = Audit()
    audit.add(_leaf(b"a"), SALT, b"a")
    audit.expect(_signed([b"a", b"b"]))
    before = _state(audit)

    for leaf, body, chain in [
        (_leaf(b"b"), b"c", None),  # not its body
        (_leaf(b"b"), b"b", bytes(32)),  # not its chain value
        (_leaf(b"c"), b"c", None),  # not what was signed
    ]:
        with pytest.raises(TamperedError):
            audit.add(leaf, SALT, body, chain)
        assert _state(audit) == before

    audit.add(_leaf(b"b"), SALT, b"b")
    assert audit.size == 2


def test_two_checkpoints_of_one_size_must_agree():
    audit = Audit()
    audit.expect(_signed([b"a", b"b"]))
    audit.expect(_signed([b"a", b"b"]))

    with pytest.raises(TamperedError, match="entry 1: the first 2 entries differ"):
        audit.expect(_signed([b"a", b"c"]))


def test_a_checkpoint_of_the_size_already_reached_is_compared_at_once():
    audit = Audit()
    audit.add(_leaf(b"a"), SALT, b"a")

    audit.expect(_signed([b"a"]))
    with pytest.raises(TamperedError) as caught:
        audit.expect(_signed([b"b"]))

    assert (caught.value.index, caught.value.reason) == (0, "tampered")


def test_the_chain_is_that_of_the_leaves():
    audit = Audit()

    hashed = [audit.add(_leaf(body), SALT, None) for body in (b"a", b"b")]

    assert audit.chain == leaves.chain(leaves.chain(leaves.CHAIN_START, hashed[0]), hashed[1])
