"""Rotation: a ledger's key gives its place to the next one (wire-format §7.4).

The statement is the body of an entry of kind `rotated`, a note signed by both keys. It names
the size and root before it, so it is the old key's last checkpoint, too: what is larger must
be signed by the new key, what is not by the old. A key that was stolen later signs nothing
of the past that fits, and nothing of the time after.
"""

from collections import namedtuple

from protocol import note as notes
from protocol.errors import BadSignatureError, MalformedError
from protocol.merkle import HASH_BYTES
from protocol.note import Note, Signature, VerifierKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.note import Verify

    Sign = Callable[[bytes], bytes]

ROTATED = "rotated"  # the kind of entry
HEAD = "tallystick rotation v1"  # no origin has a space: this text is no checkpoint's


class Rotation(namedtuple("Rotation", ("size", "root", "old", "new"))):
    """`size` and `root` are those of the tree before the entry, `size` also its index."""

    size: int
    root: bytes
    old: VerifierKey
    new: VerifierKey


def seal(rotation: Rotation, sign_old: "Sign", sign_new: "Sign") -> bytes:
    """The entry's body; `sign_…(message) -> bytes` are the signatures of the two keys."""
    text = _format(rotation)
    signatures = [
        Signature(key.name, key.key_id, sign(text.encode()))
        for key, sign in ((rotation.old, sign_old), (rotation.new, sign_new))
    ]
    return notes.format_note(Note(text, signatures)).encode()


def open_sealed(body: bytes, verify: "Verify") -> Rotation:
    """The statement, signed by the keys it names. Whether `old` is the right one is `Keys`'."""
    try:
        note = notes.parse_note(str(body, "utf-8"))
    except UnicodeError:
        raise MalformedError("a rotation is text")
    rotation = _parse(note.text)
    for key in (rotation.old, rotation.new):
        notes.signed_by(note, key, verify)
    return rotation


class Keys:
    """Who signs checkpoints of which size. Epochs only ever go forward."""

    def __init__(self, first: VerifierKey) -> None:
        self._epochs: list[tuple[int, VerifierKey]] = [(0, first)]

    @property
    def current(self) -> VerifierKey:
        return self._epochs[-1][1]

    @property
    def epochs(self) -> list[tuple[int, VerifierKey]]:
        """(size, key): `key` signs what is larger than `size`, up to the next one's size."""
        return list(self._epochs)

    def at(self, size: int) -> VerifierKey:
        """The one key that may sign a checkpoint of `size`."""
        found = self._epochs[0][1]
        for after, key in self._epochs:
            if size > after:
                found = key
        return found

    def rotate(self, rotation: Rotation, size: int, root: bytes) -> None:
        """Takes the next epoch; `size` and `root` are those of the tree before the entry.

        BadSignatureError unless the current key says so, and of this very tree.
        """
        if rotation.old != self.current:
            raise BadSignatureError("a rotation by a key that is not the current one")
        if (rotation.size, rotation.root) != (size, root):
            raise BadSignatureError("a rotation that was signed in another place of the ledger")
        if self.trusts(rotation.new):
            raise BadSignatureError("a rotation back to a key that had its time")
        self._epochs.append((size, rotation.new))

    def trusts(self, key: VerifierKey) -> bool:
        """Whether `key` is one of the epochs'."""
        return key in [held for _, held in self._epochs]

    def lines(self) -> str:
        """For a file or a store: `SIZE KEY`, an epoch a line."""
        return "".join(
            ["{} {}\n".format(size, notes.format_key(key)) for size, key in self._epochs]
        )

    @staticmethod
    def parse(lines: str) -> "Keys":
        """The reverse of `lines`, whose statements were checked when it was written."""
        epochs: list[tuple[int, VerifierKey]] = []
        for line in lines.split("\n")[:-1]:
            size, _, text = line.partition(" ")
            epochs.append((notes.parse_size(size), notes.parse_key(text)))
        if not epochs or epochs[0][0] or not lines.endswith("\n"):
            raise MalformedError("a ledger's keys are lines of a size and a key, from 0")
        keys = Keys(epochs[0][1])
        keys._epochs = epochs
        return keys


def _format(rotation: Rotation) -> str:
    lines = (
        HEAD,
        rotation.old.name,
        str(rotation.size),
        notes.b64(rotation.root),
        notes.format_key(rotation.old),
        notes.format_key(rotation.new),
    )
    return "\n".join(lines) + "\n"


def _parse(text: str) -> Rotation:
    lines = text.split("\n")
    if len(lines) != 7 or lines[0] != HEAD:
        raise MalformedError("a rotation is six lines, the first of them its version")
    root = notes.unb64(lines[3])
    if len(root) != HASH_BYTES:
        raise MalformedError(f"a root is {HASH_BYTES} bytes")
    old, new = notes.parse_key(lines[4]), notes.parse_key(lines[5])
    for key in (old, new):
        if key.name != lines[1] or key.algorithm != notes.ED25519:
            raise MalformedError("a rotation is between two ledger keys of one origin")
    if old == new:
        raise MalformedError("a rotation to the same key")
    return Rotation(notes.parse_size(lines[2]), root, old, new)
