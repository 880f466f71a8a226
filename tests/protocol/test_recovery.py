from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, recovery
from protocol.errors import ProtocolError
from protocol.recovery import Recovery
from tests.protocol import oracles, strategies

recoveries = st.builds(
    Recovery, strategies.origins, st.none() | st.text(max_size=40), st.none() | strategies.u63
)


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return recovery.encode(recovery.decode(data))
    except ProtocolError:
        return None


@given(recoveries)
def test_a_recovery_is_decoded_to_what_was_encoded(made):
    data = recovery.encode(made)

    assert recovery.decode(data) == made
    assert data == oracles.cbor(
        {label: value for label, value in enumerate(made, 1) if value is not None}
    )


@given(st.binary(max_size=40) | strategies.values.map(cbor.encode))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(recoveries)
def test_damaged_bytes_are_refused_or_another_recovery(made):
    data = recovery.encode(made)

    for cut in strategies.prefixes(data):
        assert _respelled(cut) is None
    for changed in strategies.changed_bytes(data):
        assert _respelled(changed) in (None, changed)
