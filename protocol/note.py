"""Signed notes and their keys (C2SP signed-note): text, an empty line, signature lines.

Text in, fields out, one spelling. The signature algorithms themselves are an argument:
boards have none.
"""

import binascii
import hashlib
from collections import namedtuple

from protocol.errors import BadSignatureError, MalformedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Verify = Callable[["VerifierKey", bytes, bytes], bool]

# Algorithms: the signature type byte, and the bytes of its public key.
ED25519 = 1  # over the text
COSIGNATURE = 4  # Ed25519 with a time (C2SP tlog-cosignature)
PUBLIC_BYTES = {ED25519: 32, COSIGNATURE: 32}
KEY_ID_BYTES = 4
_MAX_NOTE_BYTES = 16_384
_DASH = "\u2014 "


class VerifierKey(namedtuple("VerifierKey", ("name", "key_id", "algorithm", "public"))):
    """`name` is who signs: for a ledger its origin."""

    name: str
    key_id: bytes
    algorithm: int
    public: bytes


class Signature(namedtuple("Signature", ("name", "key_id", "value"))):
    """One line under a note; whose it is has to be checked."""

    name: str
    key_id: bytes
    value: bytes


class Note(namedtuple("Note", ("text", "signatures"))):
    """`text` ends with a line end. Nothing is verified yet."""

    text: str
    signatures: list[Signature]


# --- keys: name+hash+base64 -----------------------------------------------------------------


def make_key(name: str, algorithm: int, public: bytes) -> VerifierKey:
    material = name.encode() + b"\n" + bytes((algorithm,)) + public
    return VerifierKey(name, hashlib.sha256(material).digest()[:KEY_ID_BYTES], algorithm, public)


def format_key(key: VerifierKey) -> str:
    encoded = b64(bytes((key.algorithm,)) + key.public)
    return "{}+{}+{}".format(key.name, key.key_id.hex(), encoded)


def parse_key(text: str) -> VerifierKey:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise MalformedError("a verifier key is name+hash+base64")
    name, hash_text, encoded = parts
    check_name(name)
    material = unb64(encoded)
    if not material or PUBLIC_BYTES.get(material[0]) != len(material) - 1:
        raise MalformedError("a verifier key of an algorithm that we do not know")
    key = make_key(name, material[0], material[1:])
    if key.key_id.hex() != hash_text:
        raise MalformedError("a verifier key whose hash does not fit")
    return key


def check_name(name: str) -> None:
    """MalformedError unless `name` may be a key's name or an origin."""
    # signed-note forbids Unicode spaces and +; ASCII alone needs no table of them
    for letter in name:
        if not "!" <= letter <= "~" or letter == "+":
            raise MalformedError(f"{name!r} is no origin: ASCII without spaces and + is")
    if not name or len(name) > 255:
        raise MalformedError("an origin is 1 to 255 characters")


# --- notes ----------------------------------------------------------------------------------


def format_note(note: Note) -> str:
    return note.text + "\n" + "".join([format_signature(line) for line in note.signatures])


def parse_note(note: str) -> Note:
    """The text and every signature line; MalformedError where one of them is none."""
    if len(note) > _MAX_NOTE_BYTES:
        raise MalformedError("a note that is too long")
    end = note.find("\n\n")
    if end < 0 or not note.endswith("\n"):
        raise MalformedError("a note is text, a blank line and signatures")
    lines = note[end + 2 : -1].split("\n")
    return Note(note[: end + 1], [_parse_signature(line) for line in lines])


def text_of(note: str) -> str:
    """The text of a note that was parsed before."""
    return note[: note.find("\n\n") + 1]


def signed_by(note: Note, key: VerifierKey, verify: "Verify") -> None:
    """BadSignatureError unless `key` signed the text.

    `verify(key, signature, message) -> bool` is the algorithm. Other keys' lines are passed
    over, even those of the same name (signed-note).
    """
    for signature in note.signatures:
        if (signature.name, signature.key_id) == (key.name, key.key_id):
            if verify(key, signature.value, note.text.encode()):
                return
            raise BadSignatureError("the signature does not fit the text")
    raise BadSignatureError(f"no signature by {key.name}+{key.key_id.hex()}")


def format_signature(line: Signature) -> str:
    return "{}{} {}\n".format(_DASH, line.name, b64(line.key_id + line.value))


def _parse_signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise MalformedError("a signature line that does not start with a dash")
    parts = line[len(_DASH) :].split(" ")
    if len(parts) != 2 or not parts[0]:
        raise MalformedError("a signature line is a name and base64")
    signed = unb64(parts[1])
    if len(signed) <= KEY_ID_BYTES:
        raise MalformedError("a signature that is too short")
    return Signature(parts[0], signed[:KEY_ID_BYTES], signed[KEY_ID_BYTES:])


# --- base64 and numbers with one spelling ---------------------------------------------------


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


def parse_size(text: str) -> int:
    """A decimal without leading zeros, below 2**63."""
    if not text or len(text) > 19 or not all([c in "0123456789" for c in text]):
        raise MalformedError(f"{text!r} is no size")
    size = int(text)
    if str(size) != text or size >= 1 << 63:
        raise MalformedError(f"{text!r} is no size in its one spelling")
    return size
