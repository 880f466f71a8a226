"""Signer: Ed25519 signatures on checkpoints, and the check of others'.

Trusted: whoever has the key file can sign a false history under this origin, but not one
that contradicts a checkpoint somebody remembers.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.errors import ConfigError
from protocol import checkpoint as notes
from protocol.checkpoint import Checkpoint, VerifierKey

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
        return VerifierKey(self.origin, notes.key_id(self.origin, self.public), self.public)

    @property
    def verifier_text(self) -> str:
        return notes.format_verifier_key(self.origin, self.public)

    def sign(self, size: int, root: bytes) -> str:
        """The signed note of a checkpoint."""
        checkpoint = Checkpoint(self.origin, size, root)
        signature = self._key.sign(notes.format_body(checkpoint).encode())
        return notes.format_note(checkpoint, self.public, signature)


def format_signer_key(origin: str, seed: bytes) -> str:
    """The content of a key file."""
    signer = Signer(origin, seed)
    key_id = notes.key_id(origin, signer.public).hex()
    return f"{_PREFIX}{origin}+{key_id}+{notes.b64(bytes((notes.ED25519,)) + seed)}\n"


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


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
