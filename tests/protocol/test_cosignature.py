import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import cosignature, note
from protocol.checkpoint import Checkpoint, format_body
from protocol.cosignature import Cosigned
from protocol.errors import BadSignatureError
from protocol.note import Note
from tests.protocol import oracles, strategies
from tests.protocol.cases import checkpoint as checkpoints
from tests.protocol.cases import cosignature as cases

KEY = note.parse_key(cases.witness_key())
# a witness of the public network
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
texts = st.builds(Checkpoint, strategies.origins, strategies.u63, strategies.hashes).map(
    format_body
)
times = st.integers(1, (1 << 63) - 1)


def sign(message: bytes) -> bytes:
    return oracles.ed25519(cases.SEED).sign(message)


def checked(text: str, line: note.Signature):
    """What the witness says by this line, None where it says nothing or the line is forged."""
    try:
        return cosignature.check(Note(text, [line]), KEY, verify_signature)
    except BadSignatureError:
        return None


def test_the_key_of_a_public_witness_is_read():
    key = note.parse_key(REMORA)

    assert (key.name, key.algorithm, key.key_id.hex()) == ("remora.n621.de", 4, "da77ade7")
    assert note.format_key(key) == REMORA


@given(texts, times)
def test_what_a_witness_seals_is_what_it_says(text, time_s):
    line = cosignature.seal(KEY, text, time_s, sign)

    assert checked(text, line) == Cosigned(KEY.name, time_s)
    assert note.format_signature(line) == cases.line(text, time_s) + "\n"


def test_every_prefix_and_every_changed_byte_of_a_cosignature_is_refused():
    line = cosignature.seal(KEY, checkpoints.BODY, cases.TIME_S, sign)

    for damaged in (*strategies.prefixes(line.value), *strategies.changed_bytes(line.value)):
        assert checked(checkpoints.BODY, note.Signature(line.name, line.key_id, damaged)) is None


@given(texts, texts)
def test_a_cosignature_is_of_one_text(text, other):
    line = cosignature.seal(KEY, text, 1, sign)

    assert text == other or checked(other, line) is None


def test_a_forged_line_is_refused_with_what_is_wrong():
    forged = Note(checkpoints.BODY, [note.Signature(KEY.name, KEY.key_id, bytes(72))])

    with pytest.raises(BadSignatureError, match="without its time"):
        cosignature.cosigners(forged, [KEY], verify_signature)
