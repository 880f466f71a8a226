"""Signed checkpoints and the text of keys."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import ConfigError
from gateway.ledger.signer import Signer, format_signer_key, parse_signer_key, verify_signature
from protocol import checkpoint, note
from protocol.errors import BadSignatureError
from tests.fakes import ORIGIN, SEED

ROOT = bytes(range(32))


def seed(n: int) -> bytes:
    return hashlib.sha256(b"seed %d" % n).digest()


def test_a_signed_note_opens_under_its_key_and_no_other():
    signer, other = Signer(ORIGIN, SEED), Signer(ORIGIN, seed(1))

    signed = signer.sign(7, ROOT)

    opened = checkpoint.open_note(signed, signer.verifier_key, verify_signature)
    assert opened == (ORIGIN, 7, ROOT)
    with pytest.raises(BadSignatureError):
        checkpoint.open_note(signed, other.verifier_key, verify_signature)


def test_the_signature_is_ed25519_over_the_three_lines():
    signer = Signer(ORIGIN, SEED)

    signed = signer.sign(7, ROOT)

    body, _, last = signed.partition("\n\n")
    signature = note.unb64(last.split(" ")[2].strip())[4:]
    Ed25519PublicKey.from_public_bytes(signer.public).verify(signature, f"{body}\n".encode())
    assert not verify_signature(signer.verifier_key, signature, b"something else")
    assert not verify_signature(signer.verifier_key, b"short", f"{body}\n".encode())


def test_every_key_is_read_back_from_its_one_spelling():
    """Base64 may hold a +, which also stands between the parts of a key."""
    texts = [format_signer_key(ORIGIN, seed(n)) for n in range(200)]
    public = [Signer(ORIGIN, seed(n)).verifier_text for n in range(200)]

    assert any(text.count("+") > 4 for text in texts)
    assert any(text.count("+") > 2 for text in public)
    assert [parse_signer_key(text).seed for text in texts] == [seed(n) for n in range(200)]
    assert [note.parse_key(text) for text in public] == [
        Signer(ORIGIN, seed(n)).verifier_key for n in range(200)
    ]


TEXT = format_signer_key(ORIGIN, SEED)
MISSPELLED = [
    "",
    "garbage",
    TEXT.removesuffix("\n"),
    TEXT + "\n",
    " " + TEXT,
    TEXT.removeprefix("PRIVATE+KEY+"),
    TEXT.replace(ORIGIN, "test.invalid/other"),
    TEXT.replace("+AA", "+AQ", 1) if "+AA" in TEXT else TEXT[:-4],
    Signer(ORIGIN, SEED).verifier_text + "\n",
    format_signer_key(ORIGIN, SEED)[:-10] + "\n",
    "PRIVATE+KEY+\ud800+0+0",
]


@pytest.mark.parametrize("text", MISSPELLED, ids=range(len(MISSPELLED)))
def test_another_spelling_is_refused_without_showing_the_key(text):
    with pytest.raises(ConfigError) as refusal:
        parse_signer_key(text)

    assert TEXT.rsplit("+", 1)[1].strip() not in str(refusal.value)
