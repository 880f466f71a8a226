"""Anchors: the cosignatures that came, and the largest checkpoint that enough of them are under.

Belongs to the event loop. What is anchored no longer depends on this gateway's honesty: others
remember it. Losing this state costs nothing but the time until the next cosignature.
"""

from collections.abc import Callable

from gateway.ledger import rotation
from gateway.ledger.signer import verify_signature
from gateway.ledger.start import ANCHORED
from gateway.metrics import Metrics
from protocol import checkpoint as checkpoints
from protocol import cosignature
from protocol import note as notes
from protocol import policy as policies
from protocol.errors import BadSignatureError, ProtocolError
from protocol.note import Note, Signature
from protocol.policy import Policy, Witness
from protocol.rotation import Keys

_MAX_WAITING = 64  # checkpoints that somebody cosigned and not enough did


class Seen:
    """What is known of one witness."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.size = 0  # of the largest checkpoint of ours that it cosigned, as far as we know
        self.last_cosigned_s: int | None = None
        self.last_failure: str | None = None

    def shown(self) -> dict[str, object]:
        return {
            "name": self.witness.key.name,
            "size": self.size,
            "last_cosigned_s": self.last_cosigned_s,
            "last_failure": self.last_failure,
        }


class Anchors:
    """`note` is the anchored one, with the lines of all who cosigned it; "" where there is none.

    `keys` are the ledger's own; `remember` keeps the note for the next start.
    """

    def __init__(
        self, policy: Policy, keys: Keys, metrics: Metrics, remember: Callable[[str, bytes], None]
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._metrics = metrics
        self._remember = remember
        self._waiting: dict[str, dict[bytes, Signature]] = {}  # text -> policy name -> line
        self.seen = {witness.name: Seen(witness) for witness in policy.witnesses}
        self.note = ""
        self.size = 0

    def restore(self, note: str) -> None:
        """What was anchored before the last stop, if it is by the policy of now."""
        try:
            rotation.open_note(note, self._keys)
            parsed = notes.parse_note(note)
            policies.check(self._policy, parsed, verify_signature)
        except ProtocolError:
            return
        for name, cosigned in policies.cosigners(self._policy, parsed, verify_signature).items():
            self._saw(name, checkpoints.parse_body(parsed.text).size, cosigned.time_s)
        self.note, self.size = note, checkpoints.unverified(note).size

    def take(self, note: str) -> set[bytes]:
        """Who of the policy newly cosigned this note of ours; ignores and counts all else."""
        try:
            signed = rotation.open_note(note, self._keys)
            parsed = notes.parse_note(note)
        except ProtocolError:
            self._count("unknown", "not-ours")
            return set()
        good: dict[bytes, Signature] = {}
        for name, seen in self.seen.items():
            line = self._checked(parsed, seen, signed.size)
            if line is not None:
                good[name] = line
        self._count_strangers(parsed)
        if good:
            self._gather(parsed, good, signed.size)
        return set(good)

    def dressed(self, note: str) -> str:
        """The note with whatever cosignatures there are of it."""
        text = notes.text_of(note)
        if self.note and notes.text_of(self.note) == text:
            return self.note
        lines = self._waiting.get(text, {})
        return note + "".join(notes.format_signature(line) for line in lines.values())

    def over(self, index: int, newest: str) -> str:
        """The anchored note where entry `index` is under it, else the newest one."""
        current = bool(self.note) and self._keys.at(self.size) == self._keys.current
        return self.note if current and index < self.size else self.dressed(newest)

    def failed(self, witness: Witness, reason: str) -> None:
        """This witness did not cosign."""
        self.seen[witness.name].last_failure = reason
        self._count(witness.key.name, reason)

    def _checked(self, note: Note, seen: Seen, size: int) -> Signature | None:
        """The witness's line, if it has a good one that is not behind what it said before."""
        key = seen.witness.key
        try:
            cosigned = cosignature.check(note, key, verify_signature)
        except BadSignatureError:
            self.failed(seen.witness, "forged")
            return None
        if cosigned is None:
            return None
        said, before = (size, cosigned.time_s), (seen.size, seen.last_cosigned_s or 0)
        if said <= before:
            if said < before:
                self._count(key.name, "stale")
            return None
        self._saw(seen.witness.name, size, cosigned.time_s)
        self._count(key.name, "cosigned")
        lines = [line for line in note.signatures if (line.name, line.key_id) == key[:2]]
        return lines[0]

    def _saw(self, name: bytes, size: int, time_s: int) -> None:
        seen = self.seen[name]
        seen.size, seen.last_cosigned_s, seen.last_failure = size, time_s, None

    def _count_strangers(self, note: Note) -> None:
        known = {seen.witness.key[:2] for seen in self.seen.values()}
        known |= {key[:2] for _, key in self._keys.epochs}
        for line in note.signatures:
            if (line.name, line.key_id) not in known:
                self._count("unknown", "unknown-key")

    def _gather(self, note: Note, good: dict[bytes, Signature], size: int) -> None:
        lines = self._waiting.setdefault(note.text, {})
        lines.update(good)
        if size >= self.size and policies.is_enough(self._policy, set(lines)):
            own = [line for line in note.signatures if self._is_own(line)]
            self.note = notes.format_note(Note(note.text, [*own, *lines.values()]))
            self.size = size
            self._remember(ANCHORED, self.note.encode())
        self._forget()

    def _is_own(self, line: Signature) -> bool:
        return any((line.name, line.key_id) == key[:2] for _, key in self._keys.epochs)

    def _forget(self) -> None:
        """What is behind the anchored one, and the smallest where there are too many."""
        sizes = {text: checkpoints.parse_body(text).size for text in self._waiting}
        kept = sorted((text for text in sizes if sizes[text] >= self.size), key=sizes.__getitem__)
        self._waiting = {text: self._waiting[text] for text in kept[-_MAX_WAITING:]}

    def _count(self, witness: str, outcome: str) -> None:
        self._metrics.peers.cosignatures.labels(witness, outcome).inc()
