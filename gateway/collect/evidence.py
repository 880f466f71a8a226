"""Evidence: what a refused batch says against its ledger. Pure; the caller keeps it.

A note that the ledger's key signed, beside one that was accepted before. Where the entries
held here, the two notes or the batch's own proof show that no one tree can be under both,
that is proven: `tallystick verify DIR --checkpoint NOTE` shows it to anyone.
"""

from gateway.collect.receiver import accepted
from gateway.ledger import hashes, tree
from gateway.ledger.log import Log
from gateway.store import Reader
from gateway.store.witness import Evidence
from protocol import checkpoint as checkpoints
from protocol import merkle
from protocol import note as notes
from protocol.batch import Batch


def of_fork(reader: Reader, batch: Batch) -> Evidence:
    """For a batch that was refused as forked: its note is signed by the ledger's key."""
    signed = checkpoints.unverified(batch.note)
    proof = "".join(f"{notes.b64(node)}\n" for node in batch.proof)
    rivals = [note for note in accepted(reader) if _is_rival(note, batch.note)]
    if rivals:
        return Evidence(rivals[0], batch.note, proof, proven=True)
    held = max(accepted(reader), key=lambda note: checkpoints.unverified(note).size, default="")
    size = Log.load(reader).size
    other_entries = signed.size <= size and _root(reader, signed.size) != signed.root
    return Evidence(held, batch.note, proof, proven=other_entries or _proves(reader, batch, size))


def _is_rival(held: str, note: str) -> bool:
    """Another tree of the same size."""
    one, other = checkpoints.unverified(held), checkpoints.unverified(note)
    return one.size == other.size and one.root != other.root


def _proves(reader: Reader, batch: Batch, size: int) -> bool:
    """The proof leads from another tree than ours to the one that is signed."""
    signed = checkpoints.unverified(batch.note)
    if batch.stop > size:
        return False
    ours = _root(reader, batch.stop)
    roots = merkle.roots_from_consistency(batch.stop, ours, signed.size, batch.proof)
    return roots is not None and roots[0] != ours and roots[1] == signed.root


def _root(reader: Reader, size: int) -> bytes:
    return tree.root(size, hashes.reading(reader))
