"""Checkpoint: the signed size and root of a ledger (C2SP tlog-checkpoint)."""

from collections import namedtuple

from protocol import note as notes
from protocol.errors import BadSignatureError, MalformedError
from protocol.merkle import HASH_BYTES
from protocol.note import VerifierKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.note import Verify


class Checkpoint(namedtuple("Checkpoint", ("origin", "size", "root"))):
    origin: str
    size: int
    root: bytes


def short(value: bytes) -> str:
    """The first bytes of a hash, for people."""
    return value[:6].hex()


def format_body(checkpoint: Checkpoint) -> str:
    """The signed text: origin, size and root, a line each."""
    root = notes.b64(checkpoint.root)
    return "{}\n{}\n{}\n".format(checkpoint.origin, checkpoint.size, root)


def parse_body(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedError("a checkpoint is three lines")
    origin, size_text, root_text, _ = lines
    notes.check_name(origin)
    size, root = notes.parse_size(size_text), notes.unb64(root_text)
    if len(root) != HASH_BYTES:
        raise MalformedError(f"a root is {HASH_BYTES} bytes")
    return Checkpoint(origin, size, root)


def open_note(note: str, key: VerifierKey, verify: "Verify") -> Checkpoint:
    """The checkpoint of a note that `key` signed.

    Raises MalformedError, or BadSignatureError where it is another's or not signed by `key`.
    """
    parsed = notes.parse_note(note)
    checkpoint = parse_body(parsed.text)
    if checkpoint.origin != key.name:
        raise BadSignatureError(f"a checkpoint of {checkpoint.origin!r}, not of {key.name!r}")
    notes.signed_by(parsed, key, verify)
    return checkpoint


def unverified(note: str) -> Checkpoint:
    """The checkpoint of a note whose signature is checked elsewhere."""
    return parse_body(notes.text_of(note))
