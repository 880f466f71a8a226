from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, fault
from protocol.errors import ProtocolError
from protocol.fault import INTEGRITY, STORE_FAILED, STORE_FULL, Fault
from protocol.prune import KEPT_KINDS
from tests.protocol import oracles, strategies

faults = st.builds(
    Fault,
    st.sampled_from([STORE_FULL, STORE_FAILED, INTEGRITY]),
    st.text(max_size=20),
    st.none() | strategies.u63,
)


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return fault.encode(fault.decode(data))
    except ProtocolError:
        return None


@given(faults)
def test_a_fault_is_decoded_to_what_was_encoded(made):
    data = fault.encode(made)
    fields = {label: value for label, value in enumerate(made, 1) if value is not None}

    assert fault.decode(data) == made
    assert data == oracles.cbor(fields)


@given(st.binary(max_size=40) | strategies.values.map(cbor.encode))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(faults)
def test_damaged_bytes_are_refused_or_another_fault(made):
    data = fault.encode(made)

    for cut in strategies.prefixes(data):
        assert _respelled(cut) is None
    for changed in strategies.changed_bytes(data):
        assert _respelled(changed) in (None, changed)


def test_what_went_wrong_is_never_deleted():
    assert fault.FAULT in KEPT_KINDS
