"""COSE Receipt: what a checkpoint says, and a proof under it, as COSE_Sign1 (RFC 9942).

    18([ << {1: -19, 4: key id, 15: {1: origin}, 395: 1, -65537: size} >>,
         { 396: { -1: [ << [size, index, path] >> ] }, -65538: entry },   of inclusion
         { 396: { -2: [ << [old size, size, path] >> ] } },               or of consistency
         null,                                                            the root, detached
         signature ])

The algorithm is -19, Ed25519 (RFC 9864): -8, EdDSA, leaves the curve to the key, and is
deprecated for it.

What is signed is Sig_structure ["Signature1", protected, h'', root]: origin, size and root, all
that a checkpoint says and no more. RFC 9942 signs the root alone, but a root does not say how
large its tree is: with the same path, entry 2 of 3 could be shown as entry 1 of 2. So the size
is a protected parameter here, of the range for private use, and the index follows from size
and path.

The ledger's key signs checkpoints as well. Neither can be taken for the other: a
Sig_structure starts with the byte 84, and what is signed of a note (checkpoint, rotation,
cosignature) with a printable letter of ASCII.

The entry is unprotected, as the proof is: both are checked by hashing.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader, merkle
from protocol.checkpoint import Checkpoint
from protocol.errors import BadSignatureError, MalformedError, TooLargeError, UnsupportedError
from protocol.limits import MAX_PATH_HASHES, MAX_PROOF_BYTES
from protocol.merkle import HASH_BYTES
from protocol.note import ED25519, VerifierKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.note import Verify

MEDIA_TYPE = 'application/cose; cose-type="cose-sign1"'  # RFC 9052 §11.3.1
_SIGN1 = b"\xd2"  # the head of tag 18 (RFC 9052 §2)
_ALG, _KID, _CWT_CLAIMS, _VDS, _VDP = 1, 4, 15, 395, 396  # header parameters
_SIZE, _ENTRY = -65537, -65538  # of the range for private use
_ALG_ED25519 = -19
_RFC9162_SHA256 = 1
_ISSUER = 1  # CWT claim (RFC 8392 §3.1.1)
_INCLUSION, _CONSISTENCY = -1, -2


class Inclusion(namedtuple("Inclusion", ("index", "path", "entry"))):
    """`entry` is `leaf.encode_entry`, or b"" where the receipt does not carry it."""

    index: int
    path: list[bytes]
    entry: bytes


class Consistency(namedtuple("Consistency", ("old_size", "path"))):
    old_size: int
    path: list[bytes]


class CoseReceipt(namedtuple("CoseReceipt", ("origin", "key_id", "size", "proof", "signature"))):
    """`size` is that of the signed tree; `proof` an Inclusion in it, or a Consistency with it."""

    origin: str
    key_id: bytes
    size: int
    proof: "Inclusion | Consistency"
    signature: bytes


def message(signed: Checkpoint, key_id: bytes) -> bytes:
    """What the key signs for all receipts under one checkpoint: Sig_structure (RFC 9052 §4.4)."""
    protected = _protected(signed.origin, key_id, signed.size)
    return cbor.encode(["Signature1", protected, b"", signed.root])


def encode(receipt: CoseReceipt) -> bytes:
    proof = receipt.proof
    unprotected: dict[int, object] = {}
    if isinstance(proof, Inclusion):
        fields = [receipt.size, proof.index, proof.path]
        unprotected[_VDP] = {_INCLUSION: [cbor.encode(fields)]}
        if proof.entry:
            unprotected[_ENTRY] = proof.entry
    else:
        fields = [proof.old_size, receipt.size, proof.path]
        unprotected[_VDP] = {_CONSISTENCY: [cbor.encode(fields)]}
    protected = _protected(receipt.origin, receipt.key_id, receipt.size)
    return _SIGN1 + cbor.encode([protected, unprotected, None, receipt.signature])


def decode(data: bytes) -> CoseReceipt:
    """The fields of a receipt; nothing is checked but their spelling.

    MalformedError, TooLargeError, or UnsupportedError for another algorithm or data structure.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise TooLargeError(f"a receipt over {MAX_PROOF_BYTES} bytes")
    if data[:1] != _SIGN1:
        raise MalformedError("a COSE Receipt is a tagged COSE_Sign1")
    parts = cbor_reader.decode(data[1:])
    if not isinstance(parts, list) or len(parts) != 4:
        raise MalformedError("a COSE_Sign1 is [protected, unprotected, payload, signature]")
    protected, unprotected, _, signature = parts
    origin, key_id, size = _signer(_bytes(protected))
    proof = _proof(unprotected)
    receipt = CoseReceipt(origin, key_id, size, proof, _bytes(signature))
    if encode(receipt) != data:
        raise MalformedError("a COSE Receipt with more, or other, than what we write")
    return receipt


def check_inclusion(
    receipt: CoseReceipt, leaf_hash: bytes, key: VerifierKey, verify: "Verify"
) -> Checkpoint:
    """The signed checkpoint that `leaf_hash` is under.

    BadSignatureError where `key` did not sign the root that index, size and path lead to;
    MalformedError where they do not belong together.
    """
    proof = receipt.proof
    if not isinstance(proof, Inclusion):
        raise MalformedError("no receipt of inclusion")
    root = merkle.root_from_inclusion(proof.index, receipt.size, leaf_hash, proof.path)
    return _signed(receipt, root, key, verify)


def check_consistency(
    receipt: CoseReceipt, held: Checkpoint, key: VerifierKey, verify: "Verify"
) -> Checkpoint:
    """The signed checkpoint that continues `held`, the verifier's own.

    BadSignatureError where it does not, MalformedError where it speaks of another old tree.
    """
    proof = receipt.proof
    if not isinstance(proof, Consistency):
        raise MalformedError("no receipt of consistency")
    if (receipt.origin, proof.old_size) != (held.origin, held.size):
        raise MalformedError("a receipt of consistency with another tree")
    roots = merkle.roots_from_consistency(held.size, held.root, receipt.size, proof.path)
    if roots is None or roots[0] != held.root:
        raise MalformedError("a receipt of consistency with another tree")
    return _signed(receipt, roots[1], key, verify)


def _protected(origin: str, key_id: bytes, size: int) -> bytes:
    return cbor.encode(
        {
            _ALG: _ALG_ED25519,
            _KID: key_id,
            _CWT_CLAIMS: {_ISSUER: origin},
            _VDS: _RFC9162_SHA256,
            _SIZE: size,
        }
    )


def _signer(protected: bytes) -> tuple[str, bytes, int]:
    fields = _map(cbor_reader.decode(protected))
    if fields.get(_ALG) != _ALG_ED25519:
        raise UnsupportedError(f"a receipt of algorithm {fields.get(_ALG)!r}")
    if fields.get(_VDS) != _RFC9162_SHA256:
        raise UnsupportedError(f"a receipt of data structure {fields.get(_VDS)!r}")
    origin = _map(fields.get(_CWT_CLAIMS)).get(_ISSUER)
    if not isinstance(origin, str):
        raise MalformedError("a receipt without its issuer")
    return origin, _bytes(fields.get(_KID)), _number(fields.get(_SIZE))


def _proof(unprotected: object) -> "Inclusion | Consistency":
    fields = _map(unprotected)
    proofs = _map(fields.get(_VDP))
    if _INCLUSION in proofs:
        _, index, path = _fields(proofs[_INCLUSION])
        return Inclusion(_number(index), _path(path), _bytes(fields.get(_ENTRY, b"")))
    old_size, _, path = _fields(proofs.get(_CONSISTENCY))
    return Consistency(_number(old_size), _path(path))


def _fields(proofs: object) -> list[object]:
    if not isinstance(proofs, list) or len(proofs) != 1:
        raise MalformedError("a receipt has one proof, of inclusion or of consistency")
    fields = cbor_reader.decode(_bytes(proofs[0]))
    if not isinstance(fields, list) or len(fields) != 3:
        raise MalformedError("a proof is an array of three")
    return fields


def _path(value: object) -> list[bytes]:
    if not isinstance(value, list) or len(value) > MAX_PATH_HASHES:
        raise MalformedError(f"a path is at most {MAX_PATH_HASHES} hashes")
    for node in value:
        if not isinstance(node, bytes) or len(node) != HASH_BYTES:
            raise MalformedError(f"a path is made of {HASH_BYTES}-byte hashes")
    return value


def _map(value: object) -> "dict[int, object]":
    if not isinstance(value, dict):
        raise MalformedError("a header, its claims and its proofs are maps")
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedError("key id, proof, entry and signature are byte strings")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or value is True or value is False or not 0 <= value < 1 << 63:
        raise MalformedError("sizes and indexes are whole numbers below 2**63")
    return value


def _signed(receipt: CoseReceipt, root: bytes, key: VerifierKey, verify: "Verify") -> Checkpoint:
    """The checkpoint with the root that was worked out, if `key` signed it."""
    if (key.name, key.key_id, key.algorithm) != (receipt.origin, receipt.key_id, ED25519):
        raise BadSignatureError(f"a receipt of {receipt.origin!r}+{receipt.key_id.hex()}")
    signed = Checkpoint(receipt.origin, receipt.size, root)
    if not verify(key, receipt.signature, message(signed, receipt.key_id)):
        raise BadSignatureError("the signature does not fit the root that the proof leads to")
    return signed
