"""Rulings: what a ledger's own entries say about it, and every entry is held to.

Rotations say whose key signs, prunes which bodies are gone. They stand behind what they
rule, so they are read ahead of the rest, and confirmed in their places like every entry.
"""

from collections import namedtuple
from hashlib import sha256

from protocol import checkpoint as checkpoints
from protocol import leaf as leaves
from protocol import prune as prunes
from protocol import rotation as rotations
from protocol.checkpoint import Checkpoint
from protocol.errors import (
    BadSignatureError,
    MalformedError,
    ProtocolError,
    TamperedError,
)
from protocol.merkle import leaf_hash
from protocol.note import VerifierKey
from protocol.prune import KEPT_KINDS, PRUNED, REDACTION, RETENTION, Prune, Prunes
from protocol.rotation import ROTATED, Keys, Rotation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from protocol.note import Verify

    Read = Callable[[int, int], "Iterable[Ruling]"]

RULING = (ROTATED, PRUNED)  # the kinds that are read ahead
_RECENT = 5  # prunes that are remembered one by one, for people
_ANY, _FOLLOWED = (RETENTION, REDACTION), (REDACTION,)


class Ruling(namedtuple("Ruling", ("index", "kind", "leaf", "salt", "body"))):
    """An entry of a kind in RULING, as it is stored; `body` is None where it is missing."""

    index: int
    kind: str
    leaf: bytes
    salt: bytes
    body: bytes | None


class Rulings:
    """`read(start, stop)` gives the rulings among these entries, in order; as often as asked.

    `is_copy` for a collector's copy: it keeps what the gateway deleted for retention, and may
    lack a body before the entry that says so has come. `start` and `rotated` go on with what
    was checked before: so many entries, and the keys they tell of.

    What `read` gives counts for nothing until `check_all_confirmed`: whoever is asked for the
    rulings alone can show some that are no entries, or leave out some that are.
    """

    def __init__(
        self,
        read: "Read",
        verify: "Verify",
        *,
        is_copy: bool = False,
        start: int = 0,
        rotated: Keys | None = None,
    ) -> None:
        self._read = read
        self._verify = verify
        self._is_copy = is_copy
        self._size = start
        self.rotated = rotated  # the ledger's keys; None as long as nothing was rotated
        self._roots: dict[int, bytes] = {}  # of each rotation's statement, by its index
        self._prunes = Prunes()
        self._faults: dict[str, TamperedError] = {}  # the first of a kind
        self._ahead = dict.fromkeys(RULING, bytes(32))  # running hashes of what was read ahead
        self._confirmed = dict.fromkeys(RULING, bytes(32))  # and of what stands in the ledger
        self.prune_count = 0
        self.recent: list[tuple[int, Prune]] = []  # the newest prunes, with their indexes
        self.untold = 0  # bodies missing in a copy of which no entry has told yet

    def read_ahead(self, size: int) -> None:
        """Takes in what the first `size` entries say, beyond what was read before."""
        for ruling in self._read(self._size, size):
            _fold(self._ahead, ruling.kind, ruling.index, leaf_hash(ruling.leaf))
            try:
                self._take(ruling)
            except ProtocolError as error:
                self._faults.setdefault(ruling.kind, TamperedError(ruling.index, str(error)))
        self._size = max(self._size, size)

    def keys(self, trusted: VerifierKey) -> Keys:
        """The ledger's keys; BadSignatureError unless `trusted` is one of them."""
        keys = self.rotated or Keys(trusted)
        if not keys.trusts(trusted):
            raise BadSignatureError(f"{_named(trusted)} is none of this ledger's keys")
        return keys

    def open_note(self, note: str, trusted: VerifierKey) -> tuple[Checkpoint, VerifierKey | None]:
        """A note's checkpoint and the key of its time, which signed it; as `open_in_its_time`.

        The key is None where a rotation before it does not hold: no audit gets so far.
        """
        signed = checkpoints.unverified(note)
        fault = self._faults.get(ROTATED)
        if fault is not None and fault.index < signed.size:
            return signed, None
        keys = self.keys(trusted)
        return open_in_its_time(note, keys, self._verify), keys.at(signed.size)

    def standing(self, index: int, kind: str, source: str) -> tuple[bool, bool, int]:
        """(may the body be missing, must it be, up to which index that holds)."""
        may, until = self._prunes.covers(index, kind, source, _ANY)
        if not self._is_copy:
            return may, may, until
        must, change = self._prunes.covers(index, kind, source, _FOLLOWED)
        return may, must, min(until, change)

    def check_body(self, index: int, kind: str, source: str, *, is_there: bool) -> None:
        """TamperedError unless the entry's body is there, or missing, as the prunes say."""
        may_miss, must_miss, _ = self.standing(index, kind, source)
        if is_there and must_miss:
            raise TamperedError(
                index,
                "the body is there, although entry"
                f" {self._who_deleted(index, kind, source)} says that it was deleted",
            )
        if is_there or may_miss:
            return
        if PRUNED in self._faults:
            raise self._faults[PRUNED]  # what it should say may well be this
        if not self._is_copy or kind in KEPT_KINDS:
            what = "the body is missing, and no entry says who deleted it"
            raise TamperedError(index, what, untold=True)
        self.untold += 1

    def confirm(self, index: int, kind: str, root: bytes, hashed: bytes) -> None:
        """TamperedError unless this ruling holds where it stands; for each of the entries.

        `root` is of the tree before it, `hashed` its leaf's hash.
        """
        fault = self._faults.get(kind)
        if fault is not None and fault.index == index:
            raise fault
        if kind == ROTATED and self._roots.get(index) != root:
            raise TamperedError(index, "a rotation that was signed in another place of the ledger")
        _fold(self._confirmed, kind, index, hashed)

    def check_all_confirmed(self) -> None:
        """TamperedError unless what was read ahead was all confirmed, and nothing else was.

        For the end, when `confirm` was called for as many entries as were read ahead.
        """
        for kind in RULING:
            if self._ahead[kind] != self._confirmed[kind]:
                raise TamperedError(
                    0, f"the {kind} entries that were shown first are not those of the ledger"
                )

    def _take(self, ruling: Ruling) -> None:
        said = _statement(ruling, self._verify)
        if isinstance(said, Prune):
            self._prunes.add(said)
            self.prune_count += 1
            self.recent = self.recent[-_RECENT + 1 :] + [(ruling.index, said)]
        elif ROTATED not in self._faults:
            keys = self.rotated or Keys(said.old)
            keys.rotate(said, ruling.index, said.root)
            self.rotated = keys
            self._roots[ruling.index] = said.root

    def _who_deleted(self, index: int, kind: str, source: str) -> int:
        """The first prune that says so: ranges that touch were put together, so look again."""
        said = [
            ruling.index
            for ruling in self._read(index + 1, self._size)
            if ruling.kind == PRUNED and self._deletes(ruling, index, kind, source)
        ]
        return min(said, default=self._size)

    def _deletes(self, ruling: Ruling, index: int, kind: str, source: str) -> bool:
        try:
            said = prunes.decode(ruling.body or b"")
        except ProtocolError:
            return False
        return said.covers(index, kind, source) and (said.why == REDACTION or not self._is_copy)


def open_in_its_time(note: str, keys: Keys, verify: "Verify") -> Checkpoint:
    """The checkpoint of a note that is signed by the key whose time its size is.

    Raises MalformedError or BadSignatureError, which says so where another of `keys` signed it.
    """
    size = checkpoints.unverified(note).size
    try:
        return checkpoints.open_note(note, keys.at(size), verify)
    except BadSignatureError:
        epochs = keys.epochs
        for place, (after, key) in enumerate(epochs):
            if _is_signed(note, key, verify):
                time = f"begins with entry {after}, a rotation"
                if size > after:
                    time = f"ended with entry {epochs[place + 1][0]}, a rotation"
                raise BadSignatureError(
                    f"a checkpoint of {size} entries by {_named(key)}, whose time {time}"
                )
        raise


def _is_signed(note: str, key: VerifierKey, verify: "Verify") -> bool:
    try:
        checkpoints.open_note(note, key, verify)
    except BadSignatureError:
        return False
    return True


def _fold(hashes: dict[str, bytes], kind: str, index: int, hashed: bytes) -> None:
    hashes[kind] = sha256(hashes[kind] + str(index).encode() + hashed).digest()


def _statement(ruling: Ruling, verify: "Verify") -> Rotation | Prune:
    """What the entry says; ProtocolError where that is nothing it could say in its place."""
    if ruling.body is None:
        raise MalformedError("the body is missing, which an entry of this kind keeps")
    if not leaves.commits_to(ruling.leaf, ruling.salt, ruling.body):
        raise MalformedError("the body is not the one in the leaf")
    if leaves.decode(ruling.leaf).kind != ruling.kind:
        raise MalformedError("its leaf is of another kind")
    if ruling.kind == ROTATED:
        return rotations.open_sealed(ruling.body, verify)
    prune = prunes.decode(ruling.body)
    if prune.stop > ruling.index:
        raise MalformedError("a prune of entries that were still to come")
    return prune


def _named(key: VerifierKey) -> str:
    return f"{key.name}+{key.key_id.hex()}"
