from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, leaf
from protocol.errors import ProtocolError
from protocol.leaf import Leaf
from tests.protocol import oracles, strategies

leaves = st.builds(
    Leaf,
    st.text(max_size=20),
    strategies.u63,
    st.integers(0, 1),
    st.text(max_size=40),
    strategies.hashes,
)
salts = st.binary(min_size=leaf.SALT_BYTES, max_size=leaf.SALT_BYTES)


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return leaf.encode(leaf.decode(data))
    except ProtocolError:
        return None


@given(leaves)
def test_a_leaf_is_decoded_to_what_was_encoded(entry):
    data = leaf.encode(entry)

    assert leaf.decode(data) == entry
    assert data == oracles.cbor([1, *entry])


@given(leaves)
def test_damaged_bytes_are_refused_or_another_leaf(entry):
    data = leaf.encode(entry)

    for cut in strategies.prefixes(data):
        assert _respelled(cut) is None
    for changed in strategies.changed_bytes(data):
        assert _respelled(changed) in (None, changed)


@given(st.binary(max_size=80) | st.lists(strategies.values, max_size=7).map(cbor.encode))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(leaves, salts, st.binary(max_size=100))
def test_a_leaf_commits_to_one_salt_and_body(entry, salt, body):
    data = leaf.encode(Leaf(*entry[:4], leaf.hash_body(salt, body)))

    assert leaf.commits_to(data, salt, body)
    assert not leaf.commits_to(data, salt, body + b"\0")
    assert not leaf.commits_to(data, bytes((salt[0] ^ 1,)) + salt[1:], body)
    assert not leaf.commits_to(leaf.encode(entry), salt, body)


@given(strategies.hashes, strategies.hashes)
def test_the_chain_depends_on_the_order(first, second):
    one_way = leaf.chain(leaf.chain(leaf.CHAIN_START, first), second)
    other_way = leaf.chain(leaf.chain(leaf.CHAIN_START, second), first)

    assert (one_way == other_way) is (first == second)
