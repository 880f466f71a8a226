"""Batch: consecutive entries of a ledger with what proves their place (wire-format §8).

Pushed from a gateway to a collector. (origin, start) is its identity: sending it twice
changes nothing.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader
from protocol import leaf as leaves
from protocol.errors import MalformedError
from protocol.merkle import HASH_BYTES

_ORIGIN, _START, _ENTRIES, _NOTE, _PROOF = 1, 2, 3, 4, 5


class Batch(namedtuple("Batch", ("origin", "start", "entries", "note", "proof"))):
    """`entries` is a list of (leaf, salt, body or None), the first of index `start`.

    `note` is a signed checkpoint over at least all of them; `proof` shows its tree to start
    with the tree that ends with the last of them (RFC 9162 §2.1.4).
    """

    origin: str
    start: int
    entries: list[tuple[bytes, bytes, bytes | None]]
    note: str
    proof: list[bytes]

    @property
    def stop(self) -> int:
        return self.start + len(self.entries)


def encode(batch: Batch) -> bytes:
    return cbor.encode(
        {
            _ORIGIN: batch.origin,
            _START: batch.start,
            _ENTRIES: [list(entry) for entry in batch.entries],
            _NOTE: batch.note,
            _PROOF: batch.proof,
        }
    )


def decode(data: bytes) -> Batch:
    fields = cbor_reader.decode(data)
    if not isinstance(fields, dict) or len(fields) != 5:
        raise MalformedError("a batch is a map of five")
    origin, start, note = fields.get(_ORIGIN), fields.get(_START), fields.get(_NOTE)
    if not isinstance(origin, str) or not isinstance(note, str):
        raise MalformedError("a batch's origin and note are text")
    if not isinstance(start, int) or start is True or start is False or start < 0:
        raise MalformedError("a batch's start is an index")
    entries, proof = fields.get(_ENTRIES), fields.get(_PROOF)
    if not isinstance(entries, list) or not isinstance(proof, list):
        raise MalformedError("a batch's entries and proof are arrays")
    for node in proof:
        if not isinstance(node, bytes) or len(node) != HASH_BYTES:
            raise MalformedError(f"a proof is made of {HASH_BYTES}-byte hashes")
    return Batch(origin, start, [leaves.entry_of(entry) for entry in entries], note, proof)
