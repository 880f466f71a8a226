"""The collector's ledgers: one SQLite file an origin, only for keys it was told to trust."""

import threading
from collections.abc import Sequence
from pathlib import Path

from gateway.collect import redaction
from gateway.collect.receiver import Position, begin, position, receive
from gateway.collect.trust import Trust, statements
from gateway.errors import ConfigError, UnknownOriginError
from gateway.ledger import start
from gateway.store import Store
from gateway.store.files import safe_name
from gateway.store.sqlite import SqliteStore
from protocol import note as notes
from protocol.batch import Batch
from protocol.errors import MalformedError
from protocol.note import VerifierKey


class Origins:
    """Every method may block on the disk; the caller gives it a thread, one at a time."""

    def __init__(self, directory: Path, trusted: Sequence[str]) -> None:
        self._directory = directory
        # the first key of a ledger that we were told stays the one that we go by
        self._keys = {key.name: key for key in map(_parse, reversed(trusted))}
        self._opening = threading.Lock()
        self._stores: dict[str, Store] = {}

    def names(self) -> list[str]:
        return sorted(self._keys)

    def current_key(self, origin: str) -> VerifierKey:
        """The key that signs the ledger now, as far as its entries have come."""
        told = self.key(origin)
        return self.store(origin).read(lambda reader: Trust.load(reader, told).current)

    def rotations(self, origin: str) -> list[str]:
        """The statements by which the ledger's key gave its place to another."""
        told = self.key(origin)
        return self.store(origin).read(lambda reader: statements(reader, Trust.load(reader, told)))

    def key(self, origin: str) -> VerifierKey:
        """The key that we were told to trust."""
        key = self._keys.get(origin)
        if key is None:
            raise UnknownOriginError(
                f"{origin!r} is not trusted here: add its verifier key with"
                " `tallystick collect DIR --trust KEY`"
            )
        return key

    def signers(self, origin: str, size: int) -> list[VerifierKey]:
        """The keys that may sign a checkpoint of `size`, none of an origin not trusted here."""
        told = self._keys.get(origin)
        if told is None:
            return []
        return [self.store(origin).read(lambda reader: Trust.load(reader, told).signer(size))]

    def position(self, origin: str) -> Position:
        return self.store(origin).read(position)

    def receive(self, batch: Batch) -> Position:
        """On stable storage on return; the receiver's refusals otherwise."""
        key, store = self.key(batch.origin), self.store(batch.origin)
        found = store.transact(lambda t: receive(t, batch, key))
        redaction.erase(store)
        return found

    def store(self, origin: str) -> Store:
        self.key(origin)
        with self._opening:  # a witness asks for keys from a thread of its own
            if origin not in self._stores:
                self._stores[origin] = self._open(origin)
            return self._stores[origin]

    def close(self) -> None:
        for store in self._stores.values():
            store.close()

    def _open(self, origin: str) -> Store:
        path = self._directory / file_name(origin)
        store = SqliteStore(path, create=True)
        # not "no file yet": a crash may have come between making the file and naming its ledger
        if store.read(lambda reader: reader.state(start.ROLE)) is None:
            store.transact(lambda t: begin(t, origin))
        store.read(lambda reader: start.check_origin(reader, origin, is_copy=True))
        return store


def file_name(origin: str) -> str:
    return f"{safe_name(origin)}.sqlite"


def _parse(text: str) -> VerifierKey:
    try:
        return notes.parse_key(text)
    except MalformedError as error:
        raise ConfigError(
            f"trust: {error}", "copy the verifier key that `tallystick init` printed"
        ) from error
