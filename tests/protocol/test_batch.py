from hypothesis import given
from hypothesis import strategies as st

from protocol import batch, cbor
from protocol.batch import Batch
from protocol.errors import ProtocolError
from tests.protocol import oracles, strategies

entries = st.tuples(
    st.binary(max_size=40), st.binary(max_size=16), st.none() | st.binary(max_size=40)
)
batches = st.builds(
    Batch,
    st.text(max_size=20),
    strategies.u63,
    st.lists(entries, max_size=4),
    st.text(max_size=40),
    st.lists(strategies.hashes, max_size=4),
)


def _respelled(data):
    """`data` decoded and encoded again, or None where it was refused."""
    try:
        return batch.encode(batch.decode(data))
    except ProtocolError:
        return None


@given(batches)
def test_a_batch_is_decoded_to_what_was_encoded(sent):
    data = batch.encode(sent)

    assert batch.decode(data) == sent
    assert data == oracles.cbor(
        {1: sent[0], 2: sent[1], 3: [list(e) for e in sent[2]], 4: sent[3], 5: sent[4]}
    )
    assert sent.stop == sent.start + len(sent.entries)


@given(st.binary(max_size=80) | strategies.values.map(cbor.encode))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    assert _respelled(data) in (None, data)


@given(batches)
def test_damaged_bytes_are_refused_or_another_batch(sent):
    data = batch.encode(sent)

    for cut in strategies.prefixes(data[:400]):
        assert cut == data or _respelled(cut) is None
    for changed in strategies.changed_bytes(data[:60]):
        assert _respelled(changed + data[60:]) in (None, changed + data[60:])
