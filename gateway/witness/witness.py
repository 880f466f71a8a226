"""Witness: cosigns the checkpoints of ledgers it trusts, each a continuation of the last.

Asking and remembering are one transaction, synced before anybody hears the answer: of two
requests at once one wins, and what was cosigned never becomes smaller or another tree.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.errors import BusyError, StoreFailedError
from gateway.ledger.signer import verify_signature
from gateway.ledger.writer import CLOCK_FLOOR_MS
from gateway.store.witness import Evidence, Rows, WitnessTable
from gateway.witness.cosigner import Cosigner
from protocol import checkpoint as checkpoints
from protocol import cosignature, witnessing
from protocol import note as notes
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError
from protocol.note import Note, VerifierKey
from protocol.witnessing import COSIGN, Request

# the same checkpoint again within this is answered with the same cosignature: no write
_FRESH_S = 60


class Held(NamedTuple):
    """What was cosigned last of an origin, by its own signature; `time_s` says when."""

    note: Note
    checkpoint: Checkpoint
    time_s: int


class Decision(NamedTuple):
    """`reason` is one of `witnessing.STATUS`.

    `note` has the cosignature as its last line, and is empty where there is none; `size` is
    that of the checkpoint cosigned last, 0 where none ever was.
    """

    reason: str
    detail: str
    note: str
    size: int

    @property
    def line(self) -> str:
        """The cosignature alone."""
        return notes.format_signature(notes.parse_note(self.note).signatures[-1])


class Witness:
    """Every method may block on the disk; any thread. `unix_ms` is the clock.

    `trusted(origin, size)` are the keys that may sign such a checkpoint, the oldest first. Once
    a later one has signed what was cosigned, those before it count no more.
    """

    def __init__(
        self,
        cosigner: Cosigner,
        table: WitnessTable,
        trusted: Callable[[str, int], Sequence[VerifierKey]],
        unix_ms: Callable[[], int],
    ) -> None:
        self._cosigner = cosigner
        self._table = table
        self._trusted = trusted
        self._unix_ms = unix_ms

    @property
    def key(self) -> VerifierKey:
        return self._cosigner.key

    def add(self, request: Request) -> Decision:
        """Cosigns or refuses, and remembers that before it returns.

        MalformedError where the note is none; BusyError where the clock is not set; Store*Error
        where it may or may not be remembered, or what is remembered is damaged.
        """
        asked = checkpoints.unverified(request.note)
        keys = self._trusted(asked.origin, asked.size)
        return self._table.transact(lambda rows: self._judged(rows, asked.origin, request, keys))

    def latest(self, origin: str) -> str:
        """The note cosigned last, "" where there is none. StoreFailedError where it is damaged."""
        held = self._table.transact(lambda rows: self._held(rows, origin))
        return _text(held.note) if held else ""

    def origins(self) -> list[str]:
        """Those that were ever cosigned."""
        return self._table.transact(Rows.origins)

    def evidence(self, origin: str) -> list[Evidence]:
        return self._table.transact(lambda rows: rows.evidence(origin))

    def accuse(self, origin: str, found: Evidence) -> None:
        """Keeps a contradiction that was found elsewhere."""
        seen = found._replace(seen_ms=self._unix_ms())
        self._table.transact(lambda rows: rows.put_evidence(origin, seen))

    def close(self) -> None:
        self._table.close()

    def _judged(
        self, rows: Rows, origin: str, request: Request, keys: Sequence[VerifierKey]
    ) -> Decision:
        held = self._held(rows, origin)
        last = held.checkpoint if held else None
        verdict = witnessing.judge(request, last, _not_before(keys, held), verify_signature)
        size = last.size if last else 0
        if verdict.proven and held and verdict.note:
            proof = "".join(f"{notes.b64(node)}\n" for node in request.proof)
            contradiction = notes.format_note(verdict.note)
            found = Evidence(_text(held.note), contradiction, proof, True, self._unix_ms())
            rows.put_evidence(origin, found)
        if verdict.reason != COSIGN or verdict.note is None:
            return Decision(verdict.reason, verdict.detail, "", size)
        note = self._cosigned(verdict.note, held)
        new = checkpoints.parse_body(note.text)
        if held is None or note != held.note:
            rows.put_cosigned(origin, _text(note))
        return Decision(COSIGN, "", _text(note), new.size)

    def _cosigned(self, note: Note, held: Held | None) -> Note:
        now_s = self._unix_ms() // 1000
        if now_s < CLOCK_FLOOR_MS // 1000:
            raise BusyError("the clock is not set: a cosignature says when")
        if held and held.note.text == note.text and now_s - held.time_s < _FRESH_S:
            return held.note
        # what was said of a smaller tree was said before
        time_s = max(now_s, held.time_s if held else 0)
        line = self._cosigner.cosign(note.text, time_s)
        return Note(note.text, [*note.signatures, line])

    def _held(self, rows: Rows, origin: str) -> Held | None:
        """What the table says, believed only because this witness signed it."""
        stored = rows.cosigned(origin)
        if stored is None:
            return None
        try:
            note = notes.parse_note(stored)
            cosigned = cosignature.check(note, self._cosigner.key, verify_signature)
            checkpoint = checkpoints.parse_body(note.text)
        except ProtocolError as error:
            raise _damaged(origin) from error
        if cosigned is None or checkpoint.origin != origin:
            raise _damaged(origin)
        return Held(note, checkpoint, cosigned.time_s)


def _damaged(origin: str) -> StoreFailedError:
    return StoreFailedError(f"what is remembered of {origin} is not what this witness cosigned")


def _not_before(keys: Sequence[VerifierKey], held: Held | None) -> list[VerifierKey]:
    """From the latest key on that signed what is held: epochs only ever go forward."""
    signers = {(line.name, line.key_id) for line in held.note.signatures} if held else set()
    signed = [n for n, key in enumerate(keys) if (key.name, key.key_id) in signers]
    return list(keys[signed[-1] :]) if signed else list(keys)


def _text(note: Note) -> str:
    return notes.format_note(note)
