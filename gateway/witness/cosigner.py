"""Cosigner: the key of a witness. It is never the key of a ledger (C2SP tlog-cosignature).

Trusted: who has the key file can say, as this witness, that it saw what it did not see.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.ledger.signer import format_private_key, parse_private_key
from protocol import cosignature
from protocol import note as notes
from protocol.note import COSIGNATURE, Signature, VerifierKey


class Cosigner:
    """Keeps the key; never prints it."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self.key: VerifierKey = notes.make_key(name, COSIGNATURE, public)

    @property
    def verifier_text(self) -> str:
        return notes.format_key(self.key)

    def cosign(self, text: str, time_s: int) -> Signature:
        """The line under the checkpoint `text`, at Unix `time_s`."""
        return cosignature.seal(self.key, text, time_s, self._private.sign)

    def format(self) -> str:
        """The content of a key file."""
        return format_private_key(self.key, self._seed)

    @staticmethod
    def parse(text: str) -> "Cosigner":
        """The reverse of `format`; MalformedError where it is none."""
        return Cosigner(*parse_private_key(text, COSIGNATURE))
