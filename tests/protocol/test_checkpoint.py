import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import checkpoint, note
from protocol.checkpoint import Checkpoint
from protocol.errors import BadSignatureError, MalformedError, ProtocolError
from protocol.note import Note, Signature
from tests.protocol import oracles, strategies
from tests.protocol.cases import checkpoint as cases

# golang.org/x/mod/sumdb/note, the example of its documentation
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)

SIGNED = Checkpoint("greenhouse.example/ledger", 8, bytes(range(32)))
SEED = bytes(32)
PUBLIC = cases.public(SEED)
KEY = note.make_key(SIGNED.origin, note.ED25519, PUBLIC)
checkpoints = st.builds(Checkpoint, strategies.origins, strategies.u63, strategies.hashes)
letters = st.characters(min_codepoint=0, max_codepoint=0x2100)


def _note(signed=SIGNED):
    text = checkpoint.format_body(signed)
    key = note.make_key(signed.origin, note.ED25519, PUBLIC)
    signature = oracles.ed25519(SEED).sign(text.encode())
    return note.format_note(Note(text, [Signature(key.name, key.key_id, signature)]))


def _opens(text, key=KEY):
    try:
        return checkpoint.open_note(text, key, verify_signature)
    except ProtocolError:
        return None


def _parsed(parse, text):
    try:
        return parse(text)
    except MalformedError:
        return None


def test_the_published_example_of_a_signed_note_fits_its_key():
    key = note.parse_key(PETER_KEY)

    signature = note.unb64(PETER_SIGNATURE)

    assert (key.name, key.key_id.hex()) == ("PeterNeumann", "c74f20a3")
    assert signature[:4] == key.key_id
    assert verify_signature(key, signature[4:], PETER_TEXT.encode())


@given(checkpoints)
def test_a_checkpoint_has_one_spelling(signed):
    body = checkpoint.format_body(signed)

    assert checkpoint.parse_body(body) == signed
    for index, letter in enumerate(body):
        for other in " +0\n\r\x00=é" if index % 3 else "1A-_ ":
            changed = body[:index] + other + body[index + 1 :]
            found = _parsed(checkpoint.parse_body, changed)
            assert found is None or checkpoint.format_body(found) == changed
            assert found != signed or other == letter


@given(st.text(letters, max_size=120))
def test_any_text_is_refused_or_has_one_spelling(text):
    found = _parsed(checkpoint.parse_body, text)
    key = _parsed(note.parse_key, text)

    assert found is None or checkpoint.format_body(found) == text
    assert key is None or note.format_key(key) == text
    assert _opens(text) is None


@given(strategies.origins, strategies.hashes)
def test_a_verifier_key_has_one_spelling(name, public):
    text = note.format_key(note.make_key(name, note.ED25519, public))

    key = note.parse_key(text)

    assert (key.name, key.public) == (name, public)
    for cut in range(len(text)):
        assert _parsed(note.parse_key, text[:cut]) is None
        assert _parsed(note.parse_key, text[cut + 1 :]) is None


def test_a_signed_checkpoint_is_opened():
    assert checkpoint.open_note(_note(), KEY, verify_signature) == SIGNED
    assert checkpoint.unverified(_note()) == SIGNED


def test_every_prefix_and_every_changed_letter_of_a_note_is_refused():
    note = _note()

    for index, letter in enumerate(note):
        assert _opens(note[:index]) is None
        for other in "AZaz09+/= \n\u2014é":
            assert other == letter or _opens(note[:index] + other + note[index + 1 :]) is None


def test_a_note_is_refused_for_another_key():
    other = note.make_key(SIGNED.origin, note.ED25519, bytes(range(32)))

    with pytest.raises(BadSignatureError, match="no signature by"):
        checkpoint.open_note(_note(), other, verify_signature)


def test_a_note_of_another_origin_is_refused_before_its_signature():
    note = _note(Checkpoint("other.example", 8, SIGNED.root))

    with pytest.raises(BadSignatureError, match=r"of 'other\.example', not of"):
        checkpoint.open_note(note, KEY, verify_signature)


@given(st.binary(max_size=80))
def test_base64_has_one_spelling(data):
    text = note.b64(data)

    assert note.unb64(text) == data
    for wrong in (text + "\n", " " + text, text + "=", text.rstrip("=") + "*", text[:-1]):
        assert wrong == text or _parsed(note.unb64, wrong) is None


def test_a_hash_is_shown_by_its_first_bytes():
    assert checkpoint.short(bytes(range(32))) == "000102030405"
