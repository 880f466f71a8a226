"""Proof: one entry's place in a ledger, as a text file of its own (C2SP tlog-proof).

Index, path and the signed checkpoint, and in the `extra` line the entry itself, so that the
file and a verifier key are all that a stranger needs. The extra is not authenticated as such:
it is believed for nothing but the leaf that its hash leads from. Signatures are checked by
`protocol.checkpoint`, with the caller's keys.
"""

from collections import namedtuple

from protocol import checkpoint as checkpoints
from protocol import merkle
from protocol import note as notes
from protocol.checkpoint import Checkpoint
from protocol.errors import MalformedError, TamperedError, TooLargeError
from protocol.limits import MAX_PATH_HASHES, MAX_PROOF_BYTES
from protocol.merkle import HASH_BYTES

_HEAD = "c2sp.org/tlog-proof@v1"
_EXTRA, _INDEX = "extra ", "index "


class Proof(namedtuple("Proof", ("extra", "index", "path", "note"))):
    """`extra` is opaque here, b"" if there is none: `leaf.encode_entry` where we made it.

    `path` goes from the leaf's sibling up (RFC 9162 §2.1.3.1); `note` is a signed checkpoint.
    """

    extra: bytes
    index: int
    path: list[bytes]
    note: str


def format_proof(proof: Proof) -> str:
    lines = [_HEAD]
    if proof.extra:
        lines.append(_EXTRA + notes.b64(proof.extra))
    lines.append(_INDEX + str(proof.index))
    lines += [notes.b64(node) for node in proof.path]
    return "\n".join(lines) + "\n\n" + proof.note


def parse_proof(text: str) -> Proof:
    """The fields of a proof; nothing is checked but their spelling. Malformed-, TooLargeError."""
    if len(text) > MAX_PROOF_BYTES:
        raise TooLargeError(f"a proof over {MAX_PROOF_BYTES} characters")
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != _HEAD:
        raise MalformedError("a proof starts with " + _HEAD)
    extra = b""
    if lines and lines[0].startswith(_EXTRA):
        extra = notes.unb64(lines.pop(0)[len(_EXTRA) :])
        if not extra:
            raise MalformedError("an extra line without anything")
    if not lines or not lines[0].startswith(_INDEX):
        raise MalformedError("a proof without its index line")
    index = notes.parse_size(lines.pop(0)[len(_INDEX) :])
    if len(lines) > MAX_PATH_HASHES:
        raise MalformedError(f"a path of {len(lines)} hashes")
    path = [notes.unb64(line) for line in lines]
    if any([len(node) != HASH_BYTES for node in path]):
        raise MalformedError(f"a path is made of {HASH_BYTES}-byte hashes")
    checkpoints.parse_body(notes.parse_note(note).text)
    return Proof(extra, index, path, note)


def check(proof: Proof, leaf_hash: bytes) -> Checkpoint:
    """The checkpoint that `leaf_hash` is under. Whether somebody signed it is the caller's.

    TamperedError where the path leads elsewhere, MalformedError where it is not one of this
    index and size.
    """
    signed = checkpoints.unverified(proof.note)
    root = merkle.root_from_inclusion(proof.index, signed.size, leaf_hash, proof.path)
    if root != signed.root:
        raise TamperedError(proof.index, "its path does not lead to the checkpoint's root")
    return signed
