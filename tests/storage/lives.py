"""Lives of a gateway's directory, and what a witness outside remembers of them.

A life opens the directory as the gateway does, then commits, signs, enrols. The witness
writes down at which step of the disk each was asked for and answered, and what then was there.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import apsw

from gateway import rotate as rotations
from gateway.config import LedgerConfig
from gateway.directory import Directory
from gateway.errors import GatewayError
from gateway.ledger import pruning, rotation, start
from gateway.ledger.batch import Kept, Number, Submission
from gateway.ledger.log import Draft
from gateway.ledger.writer import LedgerWriter
from gateway.members import CHANGES_KID
from gateway.metrics import Metrics
from gateway.store import Entry, Reader, Selection
from gateway.store.identities import Change, StoredDevice
from gateway.store.keys import KeyStore
from protocol.prune import RETENTION
from tests.fakes import ORIGIN, FakeSurroundings

Answer = TypeVar("Answer")
CURSOR = "cursor"
_STATES = (start.ORIGIN, start.CHECKPOINT, rotation.KEYS, CURSOR)
_ALL = 1 << 40


class Content(NamedTuple):
    """What a ledger holds, as its reader tells it."""

    entries: list[Entry]
    nodes: list[bytes]
    numbers: dict[Number, int]
    states: dict[str, bytes | None]


class Members(NamedTuple):
    """What keys.sqlite holds."""

    devices: list[StoredDevice]
    changes: list[Change]


class Asked(NamedTuple):
    """One change: how many steps the disk had made before it, and when it was answered."""

    begun: int
    ended: int
    submissions: Sequence[Submission] = ()
    outcomes: Sequence[object] = ()


class Witness:
    """`clock` counts the disk's steps. Holds no file and trusts none."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.ledger: list[tuple[Asked, Content]] = []
        self.members: list[tuple[Asked, Members]] = []
        self.published: list[tuple[int, int]] = []  # step, size
        self.numbers: set[Number] = set()


class Life:
    """An open directory; the witness learns what is in it, and then of every change.

    `patience` is how often a change that failed is asked for, as devices and retention do.
    """

    def __init__(self, directory: Directory, witness: Witness, *, patience: int = 1) -> None:
        self.witness = witness
        self._patience = patience
        rotations.settle(directory, ORIGIN)
        self.signer = directory.load_signer(ORIGIN)
        self.store, note, size = directory.open_checked(self.signer)
        try:
            self.keys = KeyStore(directory.keys)
        except BaseException:
            self.store.close()
            raise
        self.metrics = Metrics()
        surroundings = _Surroundings(directory, witness, lambda: self.writer.size)
        self.writer = LedgerWriter(
            self.store, self.signer, surroundings, LedgerConfig(), self.metrics
        )
        self.writer.resume(size, note)
        self.signed_at_start = size

    def commit(
        self, submissions: Sequence[Submission], states: Mapping[str, bytes] | None = None
    ) -> list[Kept | GatewayError]:
        self.witness.numbers.update(one.number for one in submissions if one.number)
        begun = self.witness.clock()
        outcomes = self._ask(lambda: self.writer.commit(submissions, states or {}))
        self._answered(begun, submissions, outcomes)
        return outcomes

    def prune(self, start: int, stop: int) -> bool:
        """As retention does it; whether there was anything to delete."""
        begun = self.witness.clock()
        step = self.store.read(lambda reader: pruning.look(reader, Selection(start, stop))).step
        if step:
            self._ask(lambda: pruning.commit(self.writer, step, RETENTION))
            self._answered(begun)
        return step is not None

    def sign(self) -> str:
        self.writer.sign_if_due(0, force=True)
        return self.writer.note

    def enrol(self, name: str, secret: bytes) -> None:
        """As `tallystick device add`, and then the gateway, do it."""
        self._change(lambda: self.keys.add(name, secret))

    def revoke(self, name: str) -> None:
        self._change(lambda: self.keys.revoke(name))

    def remember(self) -> None:
        """What is there now was there from the start, as far as the witness can tell."""
        self.witness.ledger.append((Asked(0, 0), self.content()))
        self.witness.members.append((Asked(0, 0), self.members()))
        self.witness.published.append((0, self.signed_at_start))

    def content(self) -> Content:
        return self.store.read(lambda reader: _content(reader, self.witness.numbers))

    def members(self) -> Members:
        return Members(self.keys.devices(), self.keys.changes(0))

    def close(self) -> None:
        self.keys.close()
        self.store.close()

    def _answered(
        self, begun: int, submissions: Sequence[Submission] = (), outcomes: Sequence[object] = ()
    ) -> None:
        asked = Asked(begun, self.witness.clock(), submissions, [shape(o) for o in outcomes])
        self.witness.ledger.append((asked, self.content()))

    def _ask(self, change: Callable[[], Answer]) -> Answer:
        for _ in range(self._patience - 1):
            try:
                return change()
            except GatewayError:
                pass
        return change()

    def _change(self, change: Callable[[], None]) -> None:
        begun, known = self.witness.clock(), len(self.keys.changes(0))
        # who asks again looks first whether it was done after all
        self._ask(lambda: None if len(self.keys.changes(0)) > known else change())
        self.witness.members.append((Asked(begun, self.witness.clock()), self.members()))
        self.commit([noted(self.keys.changes(0)[-1])])


def rotate(directory: Directory, witness: Witness, *, patience: int = 1) -> Life:
    """A new key for a directory that nobody has open, and the life after it."""
    begun = witness.clock()
    rotations.rotate(directory, ORIGIN)
    ended = witness.clock()
    life = Life(directory, witness, patience=patience)
    witness.ledger.append((Asked(begun, ended), life.content()))
    witness.published.append((ended, life.signed_at_start))
    return life


class _Surroundings(FakeSurroundings):
    """The checkpoint is a real file, and the witness is told once it is kept.

    The dice go by the size of the ledger: who asks again for what failed gets the same salts.
    """

    def __init__(self, directory: Directory, witness: Witness, size: Callable[[], int]) -> None:
        super().__init__()
        self._directory = directory
        self._witness = witness
        self._size = size

    def random(self, size: int) -> bytes:
        return hashlib.shake_128(self._size().to_bytes(8, "big")).digest(size)

    def keep_checkpoint(self, note: str) -> None:
        self._directory.keep_checkpoint(note)
        self._witness.published.append((self._witness.clock(), int(note.split("\n", 2)[1])))


def noted(change: Change) -> Submission:
    return Submission(
        Draft(change.kind, change.name, change.body), Number(CHANGES_KID, 0, change.n)
    )


def shape(outcome: object) -> object:
    return outcome if isinstance(outcome, Kept) else type(outcome)


@contextmanager
def small_wal(pages: int) -> Iterator[None]:
    """Connections made meanwhile bring the WAL into the database every `pages` pages."""

    def set_up(connection: apsw.Connection) -> None:
        connection.set_wal_hook(lambda writer, name, waiting: _bring_in(writer, waiting, pages))

    apsw.connection_hooks.append(set_up)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(set_up)


def _bring_in(connection: apsw.Connection, waiting: int, pages: int) -> int:
    """sqlite3WalDefaultHook in Python: it, too, lets a failure pass, for the next one to mend."""
    if waiting >= pages:
        try:
            connection.wal_checkpoint()
        except apsw.Error:
            pass
    return apsw.SQLITE_OK


def _content(reader: Reader, numbers: Iterable[Number]) -> Content:
    found = {number: reader.number(*number) for number in numbers}
    return Content(
        reader.entries(0, _ALL),
        reader.nodes(8, 0, _ALL),
        {number: index for number, index in found.items() if index is not None},
        {key: reader.state(key) for key in _STATES},
    )
