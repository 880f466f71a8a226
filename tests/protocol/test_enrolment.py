import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, enrolment, envelope
from protocol.enrolment import MAC, SIG, Enrolment
from protocol.errors import ProtocolError
from protocol.prune import KEPT_KINDS
from tests.protocol import strategies

GENERATIONS = st.integers(0, enrolment.MAX_GENERATION)
enrolments = st.builds(
    Enrolment, st.text(max_size=20), st.just(MAC), GENERATIONS, st.just(b"")
) | st.builds(
    Enrolment, st.text(max_size=20), st.just(SIG), GENERATIONS, st.binary(min_size=64, max_size=64)
)


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return enrolment.encode(enrolment.decode(data))
    except ProtocolError:
        return None


@given(enrolments)
def test_an_enrolment_is_decoded_to_what_was_encoded(made):
    assert enrolment.decode(enrolment.encode(made)) == made


@given(st.binary(max_size=40) | strategies.values.map(cbor.encode))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(enrolments)
def test_damaged_bytes_are_refused_or_another_enrolment(made):
    data = enrolment.encode(made)

    for cut in strategies.prefixes(data):
        assert _respelled(cut) is None
    for changed in strategies.changed_bytes(data):
        assert _respelled(changed) in (None, changed)


def test_a_device_that_was_enrolled_first_has_the_kid_that_it_always_had():
    assert Enrolment("shed", MAC, 0, b"").kid == envelope.kid_of("shed")


@pytest.mark.parametrize("kind", [enrolment.ENROLLED, enrolment.REVOKED])
def test_who_may_speak_is_never_deleted(kind):
    assert kind in KEPT_KINDS
