"""The forwarder's view of the ledger: batches out of it, and the upstream's word against it."""

from collections.abc import Callable

from gateway.errors import RolledBackError
from gateway.forward.outbox import Send
from gateway.forward.upstream import Answer
from gateway.ledger import hashes, tree
from gateway.ledger.signer import Signer, verify_ed25519
from gateway.store import Reader, Store
from protocol import checkpoint as notes
from protocol.batch import Batch
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError


class LedgerView:
    """`note` gives the last checkpoint. Reads only; any thread."""

    def __init__(self, store: Store, signer: Signer, note: Callable[[], str]) -> None:
        self._store = store
        self._signer = signer
        self._note = note

    @property
    def origin(self) -> str:
        return self._signer.origin

    def batch(self, send: Send) -> Batch:
        """The entries of `send` under the last checkpoint, with the proof that ties them."""
        note = self._note()
        return self._store.read(lambda reader: _batch(reader, note, send))

    def check(self, answer: Answer, size: int) -> None:
        """RolledBackError unless what the upstream remembers is a past of our `size` entries."""
        signed = self._opened(answer.note)
        if signed is None and answer.next_index <= size:
            return
        if signed is not None and signed.size <= size:
            root = self._store.read(lambda r: tree.root(signed.size, hashes.reading(r)))
            if root == signed.root:
                return
        seen = signed.size if signed else answer.next_index
        raise RolledBackError(
            f"the upstream has seen {seen} entries of {self.origin}, and our {size} are not"
            " what they continue as: an older copy was put back, or the ledger was changed",
            "restore the newer copy of this directory; devices will send again what it lacks",
        )

    def _opened(self, note: str) -> Checkpoint | None:
        """A checkpoint only if our key signed it: nobody else's word can stop us."""
        if not note:
            return None
        try:
            return notes.open_note(note, self._signer.verifier_key, verify_ed25519)
        except ProtocolError:
            return None


def _batch(reader: Reader, note: str, send: Send) -> Batch:
    signed = notes.unverified(note)
    stop = min(send.stop, signed.size)
    entries = [(e.leaf, e.salt, e.body) for e in reader.entries(send.start, stop)]
    proof = tree.consistency_proof(stop, signed.size, hashes.reading(reader))
    return Batch(signed.origin, send.start, entries, note, proof)
