"""Checkpoint: the signed size and root of a ledger (C2SP tlog-checkpoint, signed-note).

Text in, fields out, one spelling. Ed25519 itself is an argument: boards have none.
"""

import binascii
import hashlib
from collections import namedtuple

from protocol.errors import BadSignatureError, MalformedError
from protocol.merkle import HASH_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Verify = Callable[[bytes, bytes, bytes], bool]

ED25519 = 1  # signature type byte (C2SP signed-note)
_KEY_ID_BYTES = 4
_PUBLIC_BYTES = 32
_MAX_SIZE = (1 << 63) - 1
_MAX_NOTE_BYTES = 16_384
_DASH = "\u2014 "


class Checkpoint(namedtuple("Checkpoint", ("origin", "size", "root"))):
    origin: str
    size: int
    root: bytes


class VerifierKey(namedtuple("VerifierKey", ("name", "key_id", "public"))):
    """`name` is the origin the key signs for; `public` is 32 bytes of Ed25519."""

    name: str
    key_id: bytes
    public: bytes


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes((ED25519,)) + public).digest()[
        :_KEY_ID_BYTES
    ]


def short(value: bytes) -> str:
    """The first bytes of a hash, for people."""
    return value[:6].hex()


# --- verifier keys: name+hash+base64 --------------------------------------------------------


def format_verifier_key(name: str, public: bytes) -> str:
    return "{}+{}+{}".format(name, key_id(name, public).hex(), b64(bytes((ED25519,)) + public))


def parse_verifier_key(text: str) -> VerifierKey:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedError("a verifier key is name+hash+base64")
    name, hash_text, encoded = parts
    _check_origin(name)
    key = unb64(encoded)
    if len(key) != 1 + _PUBLIC_BYTES or key[0] != ED25519:
        raise MalformedError("a verifier key that is not Ed25519")
    public = key[1:]
    if key_id(name, public).hex() != hash_text:
        raise MalformedError("a verifier key whose hash does not fit")
    return VerifierKey(name, key_id(name, public), public)


# --- the note: body, blank line, signatures -------------------------------------------------


def format_body(checkpoint: Checkpoint) -> str:
    """The signed text: origin, size and root, a line each."""
    return "{}\n{}\n{}\n".format(checkpoint.origin, checkpoint.size, b64(checkpoint.root))


def parse_body(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedError("a checkpoint is three lines")
    origin, size_text, root_text, _ = lines
    _check_origin(origin)
    if not size_text or len(size_text) > 19 or not all([c in "0123456789" for c in size_text]):
        raise MalformedError(f"{size_text!r} is no size")
    size = int(size_text)
    root = unb64(root_text)
    if str(size) != size_text or size > _MAX_SIZE or len(root) != HASH_BYTES:
        raise MalformedError("a checkpoint that is not in its one spelling")
    return Checkpoint(origin, size, root)


def format_note(checkpoint: Checkpoint, public: bytes, signature: bytes) -> str:
    """The signed note; `signature` is Ed25519 over `format_body(checkpoint)`."""
    signed = key_id(checkpoint.origin, public) + signature
    return "{}\n{}{} {}\n".format(format_body(checkpoint), _DASH, checkpoint.origin, b64(signed))


def open_note(note: str, key: VerifierKey, verify: "Verify") -> Checkpoint:
    """The checkpoint of a note that `key` signed.

    `verify(public, signature, message) -> bool` is Ed25519. Other keys' signatures are passed
    over (signed-note); raises MalformedError, or BadSignatureError where ours is not there.
    """
    if len(note) > _MAX_NOTE_BYTES:
        raise MalformedError("a note that is too long")
    end = note.find("\n\n")
    if end < 0 or not note.endswith("\n"):
        raise MalformedError("a note is text, a blank line and signatures")
    body, signatures = note[: end + 1], note[end + 2 : -1].split("\n")
    checkpoint = parse_body(body)
    parsed = [_parse_signature(line) for line in signatures]
    if checkpoint.origin != key.name:
        raise BadSignatureError(f"a checkpoint of {checkpoint.origin!r}, not of {key.name!r}")
    for name, signature in parsed:
        if name == key.name and signature[:_KEY_ID_BYTES] == key.key_id:
            if verify(key.public, signature[_KEY_ID_BYTES:], body.encode()):
                return checkpoint
            raise BadSignatureError("the signature does not fit the checkpoint")
    raise BadSignatureError(f"no signature by the key of {key.name!r}")


def unverified(note: str) -> Checkpoint:
    """The checkpoint of a note whose signature was checked when it was taken in."""
    return parse_body(note[: note.find("\n\n") + 1])


def _parse_signature(line: str) -> tuple[str, bytes]:
    if not line.startswith(_DASH):
        raise MalformedError("a signature line that does not start with a dash")
    parts = line[len(_DASH) :].split(" ")
    if len(parts) != 2 or not parts[0]:
        raise MalformedError("a signature line is a name and base64")
    signature = unb64(parts[1])
    if len(signature) <= _KEY_ID_BYTES:
        raise MalformedError("a signature that is too short")
    return parts[0], signature


def _check_origin(origin: str) -> None:
    # signed-note forbids Unicode spaces and +; ASCII alone needs no table of them
    for letter in origin:
        if not "!" <= letter <= "~" or letter == "+":
            raise MalformedError(f"{origin!r} is no origin: ASCII without spaces and + is")
    if not origin or len(origin) > 255:
        raise MalformedError("an origin is 1 to 255 characters")


# --- base64 with one spelling ---------------------------------------------------------------


def b64(data: bytes) -> str:
    return str(binascii.b2a_base64(data)[:-1], "ascii")


def unb64(text: str) -> bytes:
    try:
        data = binascii.a2b_base64(text.encode())
    except ValueError:
        raise MalformedError("no base64")
    if b64(data) != text:
        raise MalformedError("base64 that is not in its one spelling")
    return data
