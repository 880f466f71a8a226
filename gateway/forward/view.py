"""The forwarder's view of the ledger: batches out of it, and the upstream's word against it."""

from collections.abc import Callable

from gateway.errors import IntegrityError
from gateway.forward.outbox import Send
from gateway.forward.upstream import Answer, UpstreamError
from gateway.ledger import evidence, hashes, rotation, tree
from gateway.ledger.rotation import TERMINAL
from gateway.ledger.signer import Signer
from gateway.store import Query, Reader, Store
from protocol import checkpoint as notes
from protocol.audit import check_entry
from protocol.batch import Batch
from protocol.errors import TamperedError
from protocol.leaf import CHAIN_START
from protocol.merkle import is_consistent

_MAX_BYTES = 2 << 20  # of bodies in a batch: a collector takes 4 MiB by default


class LedgerView:
    """`note` gives the last checkpoint. Reads only; any thread."""

    def __init__(self, store: Store, signer: Signer, note: Callable[[], str]) -> None:
        self._store = store
        self._signer = signer
        self._note = note
        self._keys = store.read(lambda reader: rotation.held_keys(reader, signer))

    @property
    def origin(self) -> str:
        return self._signer.origin

    def batch(self, send: Send) -> Batch:
        """The entries of `send` under a checkpoint, with the proof that ties them.

        That is the last one. But what comes before a rotation is sent under the last word of
        its own key, up to there: whoever knows only that key can open nothing later.

        It ends before an entry that is not what was committed; IntegrityError where it
        would begin with it: no other may take its place, and a collector would refuse it.
        """
        end, note = rotation.next_rotation(self._keys, send.start), self._note()
        return self._store.read(lambda reader: _batch(reader, _terminal(reader, end, note), send))

    def check(self, answer: Answer) -> None:
        """Holds the upstream's word against what is committed.

        RolledBackError where a checkpoint that we signed is not a past of them; UpstreamError
        where it claims more than we have and shows nothing that we signed.
        """
        for note in filter(None, (answer.note, answer.cosigned, *answer.rotations)):
            self._hold_to(note)
        size = self._store.read(_size)
        if answer.next_index > size:
            raise UpstreamError("implausible", f"claims {answer.next_index} entries of our {size}")

    def _hold_to(self, note: str) -> None:
        self._store.read(lambda r: evidence.hold_to(r, self._keys, note, "the upstream"))


def _size(reader: Reader) -> int:
    last = reader.last()
    return last.index + 1 if last else 0


def _terminal(reader: Reader, end: int | None, note: str) -> str:
    """The old key's last checkpoint of `end`, where a rotation ends there; else `note`."""
    last = reader.state(f"{TERMINAL}{end}")
    return last.decode() if last else note


def _batch(reader: Reader, note: str, send: Send) -> Batch:
    signed, read_hashes = notes.unverified(note), hashes.reading(reader)
    entries, damage = _sound(reader, send.start, min(send.stop, signed.size))
    stop = send.start + len(entries)
    if damage is not None and not entries:
        raise damage
    proof = tree.consistency_proof(stop, signed.size, read_hashes)
    root = tree.root(stop, read_hashes)
    if not is_consistent(stop, root, signed.size, signed.root, proof):
        # a leaf is another one: not even what is sound can be proved to be in the tree
        raise damage or IntegrityError(stop, "what follows is not what was signed", one=False)
    return Batch(signed.origin, send.start, entries, note, proof)


def _sound(
    reader: Reader, start: int, stop: int
) -> tuple[list[tuple[bytes, bytes, bytes | None]], IntegrityError | None]:
    """Entries from `start` on, up to the first that is not what was committed."""
    before = reader.entries(start - 1, start)
    chain = before[0].chain if before else CHAIN_START
    sound: list[tuple[bytes, bytes, bytes | None]] = []
    try:
        count = stop - start
        wanted = Query(after=start - 1, limit=count, scan=count, max_bytes=_MAX_BYTES)
        for index, entry in enumerate(reader.select(wanted).entries if count > 0 else (), start):
            if entry.index != index:
                raise TamperedError(index, "the entry is missing")
            _, chain = check_entry(index, chain, entry.leaf, entry.salt, entry.body, entry.chain)
            sound.append((entry.leaf, entry.salt, entry.body))
    except TamperedError as error:
        return sound, IntegrityError(error.index, error.what)
    return sound, None
