"""Proofs under a signed checkpoint, and the one COSE signature that it has.

Each proof is checked before it is given away: one that does not lead to the signed root says
that the stored ledger was changed, and is an integrity error, never an answer.
"""

from typing import NamedTuple

from gateway.errors import IntegrityError, NotFoundError, UnsignedError
from gateway.ledger import hashes, tree
from gateway.ledger.signer import Signer, verify_signature
from gateway.store import Reader
from protocol import checkpoint as checkpoints
from protocol import cose_receipt, merkle
from protocol import leaf as leaves
from protocol import note as notes
from protocol import proof as proofs
from protocol.checkpoint import Checkpoint
from protocol.cose_receipt import Consistency, CoseReceipt, Inclusion
from protocol.errors import ProtocolError
from protocol.proof import Proof
from protocol.tile import ENTRIES, Tile, encode_bundle

_NOT_SIGNED = "the stored tree is not the one that was signed"


def inclusion(reader: Reader, note: str, index: int) -> Proof:
    """Entry `index` under the checkpoint in `note`, with the entry itself in `extra`.

    NotFoundError; UnsignedError where it is not under that checkpoint yet; IntegrityError.
    """
    size = checkpoints.unverified(note).size if note else 0
    found = reader.entries(index, index + 1)
    if not found:
        raise NotFoundError(f"no entry {index}")
    if index >= size:
        raise UnsignedError(f"entry {index} is not under a checkpoint yet: {size} entries are")
    leaf, salt, body = found[0].leaf, found[0].salt, found[0].body
    if body is None:
        salt = b""
    elif not leaves.commits_to(leaf, salt, body):
        raise IntegrityError(index, "the stored body is not the committed one")
    path = tree.inclusion_proof(index, size, hashes.reading(reader))
    made = Proof(leaves.encode_entry(leaf, salt, body), index, path, note)
    try:
        proofs.check(made, merkle.leaf_hash(leaf))
    except ProtocolError as error:
        raise IntegrityError(index, _NOT_SIGNED, one=False) from error
    return made


def consistency(reader: Reader, old_size: int, new_size: int, signed: Checkpoint) -> list[bytes]:
    """The hashes that show the tree of `new_size` to start with that of `old_size`.

    Both are of the tree that was signed, up to its size. IntegrityError.
    """
    new_root = tree.root(new_size, hashes.reading(reader))
    _path(reader, new_size, signed.size, signed.root)
    return _path(reader, old_size, new_size, new_root)


def continues(reader: Reader, old_size: int, signed: Checkpoint) -> Consistency:
    """That `signed` continues our first `old_size` entries, 0 < old_size < size. IntegrityError."""
    return Consistency(old_size, _path(reader, old_size, signed.size, signed.root))


def _path(reader: Reader, old_size: int, size: int, root: bytes) -> list[bytes]:
    """From our first `old_size` entries to the tree of that size and root. IntegrityError."""
    read_hashes = hashes.reading(reader)
    path = tree.consistency_proof(old_size, size, read_hashes)
    if not merkle.is_consistent(old_size, tree.root(old_size, read_hashes), size, root, path):
        raise IntegrityError(old_size, _NOT_SIGNED, one=False)
    return path


def tile_bytes(reader: Reader, tile: Tile) -> bytes:
    """The content of a tile or an entry bundle that is in the log. IntegrityError."""
    if tile.level == ENTRIES:
        found = reader.leaves(tile.start, tile.stop)
    else:
        found = hashes.at_level(reader, tile.tree_level, tile.start, tile.stop)
    if len(found) != tile.width:
        first = tile.start << tile.tree_level
        raise IntegrityError(first, "entries or hashes are missing", one=False)
    return encode_bundle(found) if tile.level == ENTRIES else b"".join(found)


class SignedRoot(NamedTuple):
    """A checkpoint of ours, and the signature of all COSE Receipts under it."""

    checkpoint: Checkpoint
    key_id: bytes
    signature: bytes

    def receipt(self, proof: Inclusion | Consistency) -> bytes:
        signed = self.checkpoint
        return cose_receipt.encode(
            CoseReceipt(signed.origin, self.key_id, signed.size, proof, self.signature)
        )


class ReceiptSigner:
    """Signs what a checkpoint says as COSE, too: once each, and nothing that is not signed."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._last: SignedRoot | None = None  # any thread: two would sign the same bytes

    def signed(self, note: str) -> SignedRoot:
        """UnsignedError where our present key has not signed `note`."""
        key, last = self._signer.verifier_key, self._last
        if last and checkpoints.format_body(last.checkpoint) == notes.text_of(note):
            return last
        try:
            signed = checkpoints.open_note(note, key, verify_signature)
        except ProtocolError as error:
            raise UnsignedError(f"the present key has signed nothing yet: {error}") from error
        signature = self._signer.sign_bytes(cose_receipt.message(signed, key.key_id))
        self._last = SignedRoot(signed, key.key_id, signature)
        return self._last
