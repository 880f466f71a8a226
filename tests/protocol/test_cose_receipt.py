import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import checkpoint as checkpoints
from protocol import cose_receipt, merkle, note
from protocol.checkpoint import Checkpoint
from protocol.cose_receipt import Consistency, CoseReceipt, Inclusion
from protocol.errors import BadSignatureError, ProtocolError, TooLargeError
from protocol.limits import MAX_PROOF_BYTES
from tests.protocol import oracles, strategies
from tests.protocol.cases import cose_receipt as cases
from tests.protocol.cases.checkpoint import ORIGIN, vkey
from tests.protocol.cases.merkle import ENTRIES

KEY = note.parse_key(vkey(ORIGIN))
LEAF = merkle.leaf_hash(ENTRIES[5])
RECEIPT = cases.of_inclusion(5, 8, cases.ENTRY)
paths = st.lists(strategies.hashes, max_size=63)
proofs = st.builds(Inclusion, strategies.u63, paths, st.binary(max_size=40)) | st.builds(
    Consistency, strategies.u63, paths
)
receipts = st.builds(
    CoseReceipt, st.text(max_size=20), st.binary(max_size=8), strategies.u63, proofs, st.binary()
)


def _checked(data, leaf=LEAF):
    try:
        return cose_receipt.check_inclusion(cose_receipt.decode(data), leaf, KEY, verify_signature)
    except ProtocolError:
        return None


@given(receipts)
def test_a_receipt_is_read_as_it_was_written(shown):
    assert cose_receipt.decode(cose_receipt.encode(shown)) == shown


def test_a_receipt_has_the_nesting_of_rfc_9942():
    tagged = cbor2.loads(RECEIPT)
    protected, unprotected, payload, signature = tagged.value
    ((proof,),) = unprotected[396].values()

    header = cbor2.loads(protected)
    size, index, path = cbor2.loads(proof)

    assert (tagged.tag, payload, len(signature)) == (18, None, 64)
    assert (header[1], header[395], list(unprotected[396])) == (-19, 1, [-1])
    assert (size, index, path) == (8, 5, oracles.inclusion(5, ENTRIES))


def test_every_cut_or_changed_receipt_is_refused_or_proves_the_same():
    entry = RECEIPT.index(cases.ENTRY)

    for cut in strategies.prefixes(RECEIPT):
        assert _checked(cut) is None
    for changed in strategies.changed_bytes(RECEIPT):
        inside = changed[:entry] + changed[entry + len(cases.ENTRY) :]
        unharmed = inside == RECEIPT[:entry] + RECEIPT[entry + len(cases.ENTRY) :]
        assert unharmed or _checked(changed) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_have_one_spelling(data):
    for tried in (data, b"\xd2" + data, RECEIPT[:60] + data):
        try:
            found = cose_receipt.decode(tried)
        except ProtocolError:
            continue
        assert cose_receipt.encode(found) == tried


def test_a_receipt_proves_no_other_entry_and_no_other_place():
    found = cose_receipt.decode(RECEIPT)
    signed = cose_receipt.check_inclusion(found, LEAF, KEY, verify_signature)

    assert signed == Checkpoint(ORIGIN, 8, oracles.root(ENTRIES))
    for index in range(9):
        for size in range(9):
            moved = found.proof.path, b""
            other = CoseReceipt(ORIGIN, KEY.key_id, size, Inclusion(index, *moved), found.signature)
            assert (index, size) == (5, 8) or _checked(cose_receipt.encode(other)) is None


def test_the_same_root_and_path_in_a_smaller_tree_need_the_protected_size():
    path = oracles.inclusion(2, ENTRIES[:3])
    leaf = merkle.leaf_hash(ENTRIES[2])
    signature = cose_receipt.decode(cases.of_inclusion(2, 3)).signature

    as_signed = CoseReceipt(ORIGIN, KEY.key_id, 3, Inclusion(2, path, b""), signature)
    elsewhere = CoseReceipt(ORIGIN, KEY.key_id, 2, Inclusion(1, path, b""), signature)

    roots = [
        merkle.root_from_inclusion(r.proof.index, r.size, leaf, path)
        for r in (as_signed, elsewhere)
    ]
    assert roots[0] == roots[1]
    assert _checked(cose_receipt.encode(as_signed), leaf).size == 3
    with pytest.raises(BadSignatureError):
        cose_receipt.check_inclusion(elsewhere, leaf, KEY, verify_signature)


def test_one_signature_serves_all_receipts_of_a_checkpoint():
    signatures = {
        cose_receipt.decode(data).signature
        for data in (cases.of_inclusion(0, 8), cases.of_inclusion(7, 8), cases.of_consistency(3, 8))
    }

    assert len(signatures) == 1


@given(strategies.origins, strategies.u63, strategies.hashes)
def test_no_receipt_signs_what_a_note_signs(origin, size, root):
    signed = Checkpoint(origin, size, root)

    message = cose_receipt.message(signed, KEY.key_id)

    assert message[:1] == b"\x84"
    assert "!" <= checkpoints.format_body(signed)[0] <= "~"


def test_a_receipt_that_is_too_large_is_refused_before_it_is_looked_at():
    with pytest.raises(TooLargeError):
        cose_receipt.decode(b"\xd2" + bytes(MAX_PROOF_BYTES))
