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
from protocol.errors import MalformedError
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
    return format_private_key(Signer(origin, seed).verifier_key, seed)


def parse_signer_key(text: str) -> Signer:
    """The signer of a key file; ConfigError where it is none."""
    try:
        name, seed = parse_private_key(text, ED25519)
    except MalformedError as error:
        raise ConfigError(
            "the signer key file does not hold a key", "restore it from your backup"
        ) from error
    return Signer(name, seed)


def format_private_key(key: VerifierKey, seed: bytes) -> str:
    """What a key file holds: the public key's name, hash and algorithm with the private seed."""
    encoded = notes.b64(bytes((key.algorithm,)) + seed)
    return f"{_PREFIX}{key.name}+{key.key_id.hex()}+{encoded}\n"


def parse_private_key(text: str, algorithm: int) -> tuple[str, bytes]:
    """Name and seed of a key file of an Ed25519 algorithm; MalformedError where it is none."""
    try:
        name, _, encoded = text.removeprefix(_PREFIX).removesuffix("\n").split("+", 2)
        seed = notes.unb64(encoded)[1:]
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    except ValueError as error:
        raise MalformedError("no private key") from error
    if text != format_private_key(notes.make_key(name, algorithm, public), seed):
        raise MalformedError("a private key that is not in its one spelling")
    return name, seed


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
