"""Cosigning: the collector's word for what it holds whole, and what it holds against a ledger."""

import structlog

from gateway.collect import evidence
from gateway.collect.origins import Origins
from gateway.collect.receiver import whole
from gateway.errors import GatewayError
from gateway.ledger import hashes, tree
from gateway.store import Reader
from gateway.witness.witness import Witness
from protocol import checkpoint as checkpoints
from protocol.batch import Batch
from protocol.witnessing import COSIGN, Request

_log = structlog.get_logger("collect")


class Cosigning:
    """Every method may block on the disk, as those of `origins`. Without a witness: no word."""

    def __init__(self, origins: Origins, witness: Witness | None) -> None:
        self._origins = origins
        self._witness = witness

    def cosigned(self, origin: str) -> str:
        """The note cosigned last: the largest whose entries are all held, unless it is refused.

        "" where there is none. A crash or a full disk between keeping a batch and this delays
        it to the next answer, no more.
        """
        if self._witness is None:
            return ""
        try:
            return self._cosigned(self._witness, origin)
        except GatewayError as error:
            _log.warning("not cosigned", origin=origin, reason=error.reason, detail=str(error))
            return ""

    def accuse(self, batch: Batch) -> None:
        """Keeps the note of a batch that was refused as forked, beside what it contradicts."""
        if self._witness is not None:
            found = self._origins.store(batch.origin).read(lambda r: evidence.of_fork(r, batch))
            self._witness.accuse(batch.origin, found)

    def charges(self, origin: str) -> dict[str, int]:
        """How many contradictions of `origin` are kept: those that are proven, and others."""
        kept = self._witness.evidence(origin) if self._witness else []
        proven = sum(found.proven for found in kept)
        return {"proven": proven, "unexplained": len(kept) - proven}

    def _cosigned(self, witness: Witness, origin: str) -> str:
        latest = witness.latest(origin)
        request = self._origins.store(origin).read(lambda reader: _request(reader, latest))
        if request is None:
            return latest
        decision = witness.add(request)
        if decision.reason == COSIGN:
            return decision.note
        _log.warning("not cosigned", origin=origin, reason=decision.reason, detail=decision.detail)
        return latest


def _request(reader: Reader, latest: str) -> Request | None:
    """What the witness is asked, with the proof out of our own entries; None where nothing is."""
    note = whole(reader)
    old = checkpoints.unverified(latest).size if latest else 0
    new = checkpoints.unverified(note).size if note else 0
    if new <= old:
        return None
    return Request(old, tree.consistency_proof(old, new, hashes.reading(reader)), note)
