from hypothesis import given
from hypothesis import strategies as st

from protocol import cbor, prune
from protocol.errors import ProtocolError
from protocol.prune import KEPT_KINDS, REDACTION, RETENTION, Prune, Prunes
from tests.protocol import oracles, strategies

names = st.none() | st.text(max_size=10)
kinds = st.sampled_from(["pack", "alert", "new", *KEPT_KINDS])


@st.composite
def prunes(draw):
    start, stop = sorted(draw(st.tuples(st.integers(0, 30), st.integers(0, 30))))
    why = draw(st.sampled_from([RETENTION, REDACTION]))
    counts = draw(st.tuples(strategies.u63, strategies.u63))
    return Prune(start, stop, draw(names), draw(names), why, *counts)


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return prune.encode(prune.decode(data))
    except ProtocolError:
        return None


@given(prunes())
def test_a_prune_is_decoded_to_what_was_encoded(made):
    data = prune.encode(made)
    fields = {label: value for label, value in enumerate(made, 1) if value is not None}

    assert prune.decode(data) == made
    assert data == oracles.cbor(fields)


@given(st.binary(max_size=40) | strategies.values.map(cbor.encode))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(prunes())
def test_damaged_bytes_are_refused_or_another_prune(made):
    data = prune.encode(made)

    for cut in strategies.prefixes(data):
        assert _respelled(cut) is None
    for changed in strategies.changed_bytes(data):
        assert _respelled(changed) in (None, changed)


@given(prunes(), st.integers(0, 30), kinds, st.text(max_size=3))
def test_it_covers_what_is_in_its_range_and_of_its_kind_and_source(made, index, kind, source):
    covered = made.covers(index, kind, source)

    assert covered == (
        index in range(made.start, made.stop)
        and (made.kind is None or made.kind == kind)
        and (made.source is None or made.source == source)
        and kind not in KEPT_KINDS
    )


@given(
    st.lists(prunes(), max_size=8),
    st.integers(0, 31),
    kinds,
    st.sampled_from(["", "shed"]),
    st.sampled_from([(RETENTION, REDACTION), (REDACTION,)]),
)
def test_many_prunes_cover_what_one_of_them_covers(made, index, kind, source, whys):
    held = Prunes()
    for one in made:
        held.add(one)

    covered, until = held.covers(index, kind, source, whys)

    def one_covers(at):
        return any(p.covers(at, kind, source) and p.why in whys for p in made)

    assert until > index
    assert {one_covers(at) for at in range(index, min(until, 40))} == {covered}


def test_ranges_that_touch_take_the_memory_of_one():
    held = Prunes()

    for start in range(0, 10_000, 10):
        held.add(Prune(start, start + 10, "pack", None, RETENTION, 10, 1000))

    assert held.covers(0, "pack", "shed", (RETENTION,)) == (True, 10_000)
