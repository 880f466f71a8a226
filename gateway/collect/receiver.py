"""Receiver: one origin's ledger as a collector holds it. Decides; the caller owns the store.

A batch is kept only if every body is the one in its leaf, the leaves go on exactly where
ours end, and the tree they make is the start of the checkpoint's, and contains the last
checkpoint we accepted. What contradicts that is refused for good: it is evidence.
Rotations of the ledger's key and redactions are followed as their entries come.
"""

from typing import NamedTuple

from gateway.collect import redaction
from gateway.collect.trust import Trust
from gateway.errors import ForkedError, OutOfOrderError
from gateway.ledger import hashes, tree
from gateway.ledger.log import Log, Sealed
from gateway.ledger.rotation import KEYS
from gateway.ledger.start import CHECKPOINT, COLLECTOR, ORIGIN, ROLE, WHOLE
from gateway.store import Reader, Transaction
from protocol import cbor, cbor_reader, merkle
from protocol import checkpoint as notes
from protocol import leaf as leaves
from protocol.batch import Batch
from protocol.checkpoint import Checkpoint
from protocol.errors import BadSignatureError, MalformedError, ProtocolError, TamperedError
from protocol.note import VerifierKey
from protocol.rotation import ROTATED, Rotation

_PENDING = "pending"  # state key
_MAX_PENDING = 64  # notes; a collector this far behind gets one with each batch


class Position(NamedTuple):
    """`next_index`: the first entry we lack; `note`: the largest checkpoint accepted."""

    next_index: int
    note: str


def begin(transaction: Transaction, origin: str) -> None:
    """Makes a store a copy of this origin's ledger; a stranger can tell that it is one."""
    if transaction.state(ORIGIN) is None:
        transaction.put_state(ORIGIN, origin.encode())
    transaction.put_state(ROLE, COLLECTOR)


def position(reader: Reader) -> Position:
    last = reader.last()
    return Position(last.index + 1 if last else 0, (reader.state(CHECKPOINT) or b"").decode())


def whole(reader: Reader) -> str:
    """The largest note accepted whose entries are all here, "" where there is none."""
    return (reader.state(WHOLE) or b"").decode()


def accepted(reader: Reader) -> list[str]:
    """The notes that what is to come must not contradict."""
    held = position(reader).note
    return [*_pending(reader), *([held] if held else [])]


def receive(transaction: Transaction, batch: Batch, told: VerifierKey) -> Position:
    """Puts what is new of `batch`; a batch we hold already changes nothing.

    `told` is the key we were told to trust; the ledger's rotations lead to the others. Raises
    OutOfOrderError (with where to go on), ForkedError, TamperedError, MalformedError or
    BadSignatureError; nothing is kept then.
    """
    log, trust = Log.load(transaction), Trust.load(transaction, told)
    if batch.start > log.size:
        raise OutOfOrderError(f"the next entry is {log.size}, not {batch.start}", log.size)
    extension = log.extended(_new(batch, log.size))
    turns = [trust.follow(e.index, e.body) for e in extension.entries if e.kind == ROTATED]
    signed = trust.open(batch.note)
    if batch.origin != signed.origin:
        raise MalformedError("the batch and its checkpoint are of different origins")
    _check_known(transaction, batch, log.size)
    extension.put(transaction)
    redaction.follow(transaction, extension.entries)
    if turns:
        _check_turns(transaction, turns, trust)
        transaction.put_state(KEYS, trust.lines())
    _check_tree(transaction, batch, signed, extension.log)
    binds = _check_pending(transaction, batch, signed, extension.log)
    return _remember(transaction, batch, signed, extension.log.size, binds=binds)


def _check_known(reader: Reader, batch: Batch, size: int) -> None:
    """What the batch repeats must be what we have."""
    known = reader.entries(batch.start, min(batch.stop, size))
    for entry, (leaf, _, _) in zip(known, batch.entries, strict=False):
        if entry.leaf != leaf:
            raise ForkedError(f"entry {entry.index} was another one when it first came")


def _new(batch: Batch, size: int) -> list[Sealed]:
    fresh = []
    for index, (leaf, salt, body) in enumerate(batch.entries, batch.start):
        if index < size:
            continue
        if body is not None and not leaves.commits_to(leaf, salt, body):
            raise TamperedError(index, "the body is not the one in the leaf")
        fresh.append(Sealed(leaf, salt, body))
    return fresh


def _check_turns(reader: Reader, turns: list[Rotation], trust: Trust) -> None:
    """The old key's last word was on the tree that we have, and it was its last."""
    for rotation in turns:
        if _root(reader, rotation.size) != rotation.root:
            raise BadSignatureError("a rotation that was signed in another ledger")
    for note in accepted(reader):
        try:
            trust.open(note)
        except ProtocolError as error:
            raise ForkedError(
                f"a checkpoint of {notes.unverified(note).size} was accepted before, which a"
                f" rotation at {turns[-1].size} leaves out: {error}"
            ) from error


def _check_tree(reader: Reader, batch: Batch, signed: Checkpoint, log: Log) -> None:
    """The batch's end is a past of its checkpoint."""
    if batch.stop > signed.size:
        raise MalformedError(f"entries up to {batch.stop} under a checkpoint of {signed.size}")
    root = log.root() if batch.stop == log.size else _root(reader, batch.stop)
    if not merkle.is_consistent(batch.stop, root, signed.size, signed.root, batch.proof):
        raise ForkedError(
            f"the first {batch.stop} entries are not the start of the tree signed at {signed.size}"
        )
    if batch.stop < signed.size <= log.size and _root(reader, signed.size) != signed.root:
        raise ForkedError(f"the entries we hold are not those signed at size {signed.size}")


def _check_pending(transaction: Transaction, batch: Batch, signed: Checkpoint, log: Log) -> bool:
    """A checkpoint we accepted binds the entries that reach it, however much later they come.

    Whether this one does: of one that does not, nothing may be said to be accepted.
    """
    pending = _pending(transaction)
    for note in pending:
        held = notes.unverified(note)
        if held.size == signed.size and held.root != signed.root:
            raise ForkedError(f"two different trees were signed at size {signed.size}")
        if held.size <= log.size and _root(transaction, held.size) != held.root:
            raise ForkedError(f"these entries are not those signed at size {held.size} before")
    reached = [note for note in (*pending, batch.note) if _size(note) <= log.size]
    largest = max([whole(transaction), *reached], key=_size)
    if largest != whole(transaction):
        transaction.put_state(WHOLE, largest.encode())
    still = [note for note in pending if notes.unverified(note).size > log.size]
    if signed.size > log.size and batch.note not in still:
        # Full: the oldest bind soonest, so it is the newest that is not kept.
        still = [*still, batch.note][:_MAX_PENDING]
    if still != pending:
        transaction.put_state(_PENDING, cbor.encode(still))
    return signed.size <= log.size or batch.note in still


def _pending(reader: Reader) -> list[str]:
    """Notes over more entries than we have yet."""
    stored = reader.state(_PENDING)
    held = cbor_reader.decode(stored) if stored else []
    return [str(note) for note in held] if isinstance(held, list) else []


def _size(note: str) -> int:
    return notes.unverified(note).size if note else -1


def _remember(
    transaction: Transaction, batch: Batch, signed: Checkpoint, size: int, *, binds: bool
) -> Position:
    """Keeps the largest checkpoint that is shown to start with all of our `size` entries."""
    held = (transaction.state(CHECKPOINT) or b"").decode()
    if held:
        last = notes.unverified(held)
        if last.size == signed.size and last.root != signed.root:
            raise ForkedError(f"two different trees were signed at size {signed.size}")
        if batch.stop < size or last.size >= signed.size or not binds:
            return Position(size, held)
    transaction.put_state(CHECKPOINT, batch.note.encode())
    return Position(size, batch.note)


def _root(reader: Reader, size: int) -> bytes:
    return tree.root(size, hashes.reading(reader))
