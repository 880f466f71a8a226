import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, resource
from protocol.errors import MalformedError, ProtocolError, TooLargeError
from protocol.limits import MAX_CONTENT_BYTES
from protocol.resource import CHANGES, DELETE, POST, PUT, Change
from tests.protocol import oracles, strategies

befores = st.none() | strategies.u63
contents = st.builds(
    Change,
    st.sampled_from([PUT, POST]),
    st.text(max_size=20),
    st.binary(max_size=40),
    st.none() | st.integers(0, 65535),
    befores,
)
deletes = st.builds(
    Change, st.just(DELETE), st.text(max_size=20), st.none(), st.none(), strategies.u63
)
changes = contents | deletes


def _respelled(kind, data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return resource.encode(resource.decode(kind, data))
    except ProtocolError:
        return None


@given(changes)
def test_a_change_is_decoded_to_what_was_encoded(made):
    data = resource.encode(made)
    before = (2**64 - 1 if made.before is None else made.before).to_bytes(8, "big")
    fields = {1: made.who, 2: made.content, 3: made.content_format, 4: before}

    assert resource.decode(made.kind, data) == made
    assert data == oracles.cbor({n: value for n, value in fields.items() if value is not None})


@given(changes)
def test_a_body_ends_with_what_it_follows(made):
    tail = resource.encode(made)[-resource.BEFORE_BYTES :]

    assert resource.before_of(tail) == made.before


@given(st.sampled_from(CHANGES), st.binary(max_size=40) | strategies.values.map(cbor.encode))
def test_any_bytes_are_refused_or_have_one_spelling(kind, data):
    assert _respelled(kind, data) in (None, data)


@given(changes)
def test_damaged_bytes_are_refused_or_another_change(made):
    data = resource.encode(made)

    for cut in strategies.prefixes(data):
        assert _respelled(made.kind, cut) is None
    for changed in strategies.changed_bytes(data):
        assert _respelled(made.kind, changed) in (None, changed)


@pytest.mark.parametrize("over", [0, 1])
def test_a_change_has_as_much_content_as_a_proof_can_carry(over):
    made = Change(PUT, "@ci", bytes(MAX_CONTENT_BYTES + over), None, None)
    spelled = oracles.cbor({1: "@ci", 2: made.content, 4: 8 * b"\xff"})

    if over:
        with pytest.raises(TooLargeError):
            resource.encode(made)
        with pytest.raises(TooLargeError):
            resource.decode(PUT, spelled)
    else:
        assert resource.decode(PUT, spelled) == made


def test_a_tail_of_another_length_is_refused():
    with pytest.raises(MalformedError):
        resource.before_of(b"")
