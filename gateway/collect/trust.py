"""Trust: which key a collector opens a note with, as a ledger rotates its keys.

A collector is told one key of a ledger. That key opens every note until the rotations among
the entries name it: from then on each size has its one key (protocol.rotation). A collector
that was told a later key therefore accepts nothing that this key did not sign, too.
"""

from gateway.ledger.rotation import KEYS, open_note
from gateway.ledger.signer import verify_signature
from gateway.store import Reader
from protocol import checkpoint as checkpoints
from protocol import rotation as rotations
from protocol.checkpoint import Checkpoint
from protocol.errors import TamperedError
from protocol.note import VerifierKey
from protocol.rotation import Keys, Rotation


class Trust:
    """`told` is the key from the configuration; `keys` are the ledger's, once it rotated."""

    def __init__(self, told: VerifierKey, keys: Keys | None) -> None:
        self._told = told
        self._keys = keys

    @staticmethod
    def load(reader: Reader, told: VerifierKey) -> "Trust":
        stored = reader.state(KEYS)
        return Trust(told, Keys.parse(stored.decode()) if stored else None)

    @property
    def current(self) -> VerifierKey:
        """The key that the newest checkpoints have to be signed by."""
        known = self._connected()
        return known.current if known else self._told

    def signer(self, size: int) -> VerifierKey:
        """The one key that may sign a checkpoint of `size`."""
        known = self._connected()
        return known.at(size) if known else self._told

    def open(self, note: str) -> Checkpoint:
        """The checkpoint of a note that the right key has signed; ProtocolError otherwise."""
        known = self._connected()
        if known:
            return open_note(note, known)
        return checkpoints.open_note(note, self._told, verify_signature)

    def follow(self, index: int, body: bytes | None) -> Rotation:
        """Takes the rotation that entry `index` is; its root is for the caller to compare.

        ProtocolError where it is none, or not by the key whose turn it was.
        """
        if body is None:
            raise TamperedError(index, "a rotation without its statement")
        rotation = rotations.open_sealed(body, verify_signature)
        keys = self._keys or Keys(rotation.old)
        keys.rotate(rotation, index, rotation.root)
        self._keys = keys
        return rotation

    @property
    def rotated_at(self) -> list[int]:
        """The entries that are rotations."""
        return [size for size, _ in self._keys.epochs[1:]] if self._keys else []

    def lines(self) -> bytes:
        """For the store, in the transaction of the entries that were followed."""
        return self._keys.lines().encode() if self._keys else b""

    def _connected(self) -> Keys | None:
        return self._keys if self._keys and self._keys.trusts(self._told) else None


def statements(reader: Reader, trust: Trust) -> list[str]:
    """The rotations that were followed, as they were signed."""
    found = [reader.entries(index, index + 1)[0].body for index in trust.rotated_at]
    return [body.decode() for body in found if body is not None]
