"""Signer: Ed25519 signatures on checkpoints, and the check of others'.

Trusted: whoever has the key file can sign a false history under this origin, but not one
that contradicts a checkpoint somebody remembers.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.errors import ConfigError
from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol.checkpoint import Checkpoint
from protocol.note import COSIGNATURE, ED25519, Note, Signature, VerifierKey

_PREFIX = "PRIVATE+KEY+"  # the text form of golang.org/x/mod/sumdb/note


class Signer:
    """Signs for one origin. Keeps the key; never prints it."""

    def __init__(self, origin: str, seed: bytes) -> None:
        self.origin = origin
        self.seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    @property
    def verifier_key(self) -> VerifierKey:
        return notes.make_key(self.origin, ED25519, self.public)

    @property
    def verifier_text(self) -> str:
        return notes.format_key(self.verifier_key)

    def sign(self, size: int, root: bytes) -> str:
        """The signed note of a checkpoint."""
        text = checkpoints.format_body(Checkpoint(self.origin, size, root))
        key = self.verifier_key
        signature = Signature(key.name, key.key_id, self.sign_bytes(text.encode()))
        return notes.format_note(Note(text, [signature]))

    def sign_bytes(self, message: bytes) -> bytes:
        return self._key.sign(message)


def format_signer_key(origin: str, seed: bytes) -> str:
    """The content of a key file."""
    signer = Signer(origin, seed)
    key_id = signer.verifier_key.key_id.hex()
    return f"{_PREFIX}{origin}+{key_id}+{notes.b64(bytes((ED25519,)) + seed)}\n"


def parse_signer_key(text: str) -> Signer:
    """The signer of a key file; ConfigError where it is none."""
    try:
        origin, _, encoded = text.removeprefix(_PREFIX).removesuffix("\n").split("+", 2)
        key = notes.unb64(encoded)
        signer = Signer(origin, key[1:])
        if text != format_signer_key(signer.origin, key[1:]):
            raise ValueError("not in its one spelling")
    except Exception as error:
        raise ConfigError(
            "the signer key file does not hold a key", "restore it from your backup"
        ) from error
    return signer


def verify_signature(key: VerifierKey, signature: bytes, message: bytes) -> bool:
    return _VERIFY[key.algorithm](key.public, signature, message)


def _verify_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


# A new algorithm is a row here, and one in protocol.note.PUBLIC_BYTES.
_VERIFY = {ED25519: _verify_ed25519, COSIGNATURE: _verify_ed25519}
