import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import checkpoint, leaf, merkle, note, proof
from protocol.errors import MalformedError, ProtocolError, TamperedError, TooLargeError
from protocol.limits import MAX_PROOF_BYTES
from protocol.proof import Proof
from tests.protocol import oracles, strategies
from tests.protocol.cases import proof as cases
from tests.protocol.cases.merkle import ENTRIES

DOCUMENT = Path(__file__).parents[2] / "docs" / "wire-format.md"
LEAF = merkle.leaf_hash(ENTRIES[5])
TEXT = cases.proof(5, 8, b"extra")
proofs = st.builds(
    Proof,
    st.binary(max_size=60),
    strategies.u63,
    st.lists(strategies.hashes, max_size=63),
    st.just(cases.note(8)),
)


def _checked(text):
    try:
        return proof.check(proof.parse_proof(text), LEAF)
    except ProtocolError:
        return None


def test_the_example_of_the_wire_format_proves_its_entry():
    text = re.search(r"```\n(c2sp.org/tlog-proof@v1\n.*?)```", DOCUMENT.read_text(), re.S)[1]

    example = proof.parse_proof(text)

    encoded, salt, body = leaf.decode_entry(example.extra)
    signed = proof.check(example, merkle.leaf_hash(encoded))
    seed = bytes(range(0x20, 0x40))  # of the document's inputs
    public = oracles.ed25519(seed).public_key().public_bytes_raw()
    key = note.make_key("example.org/garden", note.ED25519, public)
    assert checkpoint.open_note(example.note, key, verify_signature) == signed
    assert leaf.commits_to(encoded, salt, body)


@given(proofs)
def test_a_proof_is_read_as_it_was_written_and_as_others_write_it(shown):
    text = proof.format_proof(shown)

    assert proof.parse_proof(text) == shown
    assert text == oracles.tlog_proof(shown.index, shown.path, shown.note, shown.extra)


def test_every_cut_proof_is_refused():
    for end in range(len(TEXT)):
        with pytest.raises(MalformedError):
            proof.parse_proof(TEXT[:end])


def test_a_proof_has_one_spelling_and_no_other_letter_in_index_or_path_proves_the_entry():
    proved = TEXT.index("index")

    for at, letter in enumerate(TEXT[: TEXT.index("\n\n")]):
        for other in "AZaz09+/= \n\u2014é":
            changed = TEXT[:at] + other + TEXT[at + 1 :]
            assert other == letter or at < proved or _checked(changed) is None
            assert other == letter or not _same(changed)


def _same(text):
    try:
        found = proof.parse_proof(text)
    except ProtocolError:
        return False
    return found == proof.parse_proof(TEXT) or proof.format_proof(found) != text


@given(st.text(max_size=200))
def test_any_text_is_refused_or_has_one_spelling(text):
    for tried in (text, TEXT.replace("index", text), TEXT[:23] + text):
        try:
            found = proof.parse_proof(tried)
        except ProtocolError:
            continue
        assert proof.format_proof(found) == tried


def test_an_entry_is_proved_at_its_index_in_its_tree_and_nowhere_else():
    good = proof.parse_proof(TEXT)
    signed = proof.check(good, LEAF)

    assert (signed.size, signed.root) == (8, oracles.root(ENTRIES))
    for index in range(9):
        for size in range(9):
            moved = Proof(b"", index, good.path, cases.note(size))
            assert (index, size) == (5, 8) or _checked(proof.format_proof(moved)) is None


def test_a_path_that_leads_elsewhere_names_the_entry():
    with pytest.raises(TamperedError, match=r"entry 5: its path does not lead to") as refusal:
        proof.check(proof.parse_proof(TEXT), merkle.leaf_hash(ENTRIES[4]))

    assert refusal.value.index == 5


def test_a_proof_that_is_too_large_is_refused_before_it_is_looked_at():
    extra = note.b64(bytes(MAX_PROOF_BYTES))

    with pytest.raises(TooLargeError):
        proof.parse_proof(TEXT.replace("extra ", f"extra {extra}"))


@given(st.binary(max_size=50), st.binary(max_size=16), st.none() | st.binary(max_size=50))
def test_an_entry_in_a_proof_is_read_as_it_was_written(encoded, salt, body):
    data = leaf.encode_entry(encoded, salt if body is not None else b"", body)

    assert leaf.decode_entry(data) == (encoded, salt if body is not None else b"", body)
    assert data == oracles.cbor([encoded, salt if body is not None else b"", body])
