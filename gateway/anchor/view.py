"""The ledger as it is shown to witnesses, and their word held against it."""

from gateway.ledger import evidence, hashes, tree
from gateway.store import Reader, Store
from protocol import checkpoint as checkpoints
from protocol.rotation import Keys
from protocol.witnessing import Request


class Shown:
    """Reads only; any thread. `keys` are the ledger's own."""

    def __init__(self, store: Store, keys: Keys, origin: str) -> None:
        self._store = store
        self._keys = keys
        self.origin = origin

    def request(self, old_size: int, note: str) -> Request:
        """That `note` continues our first `old_size` entries."""
        new_size = checkpoints.unverified(note).size
        proof = self._store.read(
            lambda r: tree.consistency_proof(old_size, new_size, hashes.reading(r))
        )
        return Request(old_size, proof, note)

    def size(self) -> int:
        return self._store.read(_size)

    def received_ms(self, index: int) -> int | None:
        """When entry `index` came, Unix ms; None where there is none yet."""
        found = self._store.read(lambda reader: reader.entries(index, index + 1))
        return found[0].received_ms if found else None

    def hold_to(self, note: str, who: str) -> None:
        """RolledBackError where our key signed `note` and the ledger does not continue it."""
        self._store.read(lambda reader: evidence.hold_to(reader, self._keys, note, who))


def _size(reader: Reader) -> int:
    last = reader.last()
    return last.index + 1 if last else 0
