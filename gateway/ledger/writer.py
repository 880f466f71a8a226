"""LedgerWriter: one transaction a batch, and checkpoints over what was committed.

Owned by the sequencer's thread. After a failed transaction it reads the log again: the
store knows what it kept, we do not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from gateway.config import LedgerConfig
from gateway.errors import GatewayError, StoreFailedError
from gateway.ledger.batch import Kept, Number, Plan, Submission, keep_changes, plan
from gateway.ledger.log import Extension, Log, Stamp
from gateway.ledger.seen import Seen
from gateway.ledger.signer import Signer
from gateway.ledger.start import CHECKPOINT
from gateway.metrics import Metrics
from gateway.store import Store, Transaction
from protocol.leaf import SALT_BYTES

# A clock before this has not been set: 2025-01-01, earlier than any of our releases.
CLOCK_FLOOR_MS = 1_735_689_600_000
_CLOCK_SLACK_MS = 1000  # a synchronised clock is stepped back by less than this
_MAX_ALERTED = 1024  # forgetting one costs a second alert entry, no more


Result = TypeVar("Result")


class Surroundings(Protocol):
    """Clock, dice and the checkpoint file: what the writer needs of the outside."""

    def unix_ms(self) -> int: ...

    def random(self, size: int) -> bytes: ...

    def keep_checkpoint(self, note: str) -> None:
        """`note` is on stable storage on return; StoreFailedError otherwise."""


class LedgerWriter:
    """`size`, `signed_size` and `note` may be read by any thread."""

    def __init__(
        self,
        store: Store,
        signer: Signer,
        surroundings: Surroundings,
        config: LedgerConfig,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._signer = signer
        self._surroundings = surroundings
        self._config = config
        self._metrics = metrics
        self._log: Log | None = store.read(Log.load)
        self._seen = Seen()
        self._alerted: set[Number] = set()
        self._signed_at: float = 0.0
        self.size = self._log.size
        self.newest_ms = self._log.received_ms  # when the last entry came, as of the start
        self.signed_size = 0
        self.note = ""
        self._stored_note = ""  # the note that the store holds, as far as we know
        self._signs = True
        self.clock_trusted = True
        self.failure: GatewayError | None = None  # of the last transaction, if it failed

    @property
    def failing(self) -> str | None:
        """The reason of the last transaction's failure, if it failed."""
        return self.failure.reason if self.failure else None

    def resume(self, signed_size: int, note: str) -> None:
        """Go on from the last checkpoint, which the start-up check has accepted."""
        self.signed_size, self.note = signed_size, note

    def commit(
        self, submissions: Sequence[Submission], states: Mapping[str, bytes]
    ) -> list[Kept | GatewayError]:
        """Outcomes in the order of `submissions`, after the sync. Raises Store*Error for all."""
        planned = self.commit_with(lambda _: (submissions, None), states)[0]
        self._remember_alerts(planned)
        return list(planned.outcomes)

    def commit_with(
        self,
        work: Callable[[Transaction], tuple[Sequence[Submission], Result]],
        states: Mapping[str, bytes],
    ) -> tuple[Plan, Result]:
        """One transaction of `work` and of the submissions it returns. Raises Store*Error.

        For changes to the store that have to be in the ledger, too: both or neither is kept.
        """
        try:
            log = self._current()
            stamp = self._stamp(log)
            planned, extension, result = self._store.transact(
                lambda transaction: self._put(transaction, log, stamp, work, states)
            )
        except GatewayError as error:
            self._log = None
            self._seen.failed()
            self.failure = error
            raise
        self._seen.committed()
        if extension.entries:
            self._stored_note = self.note
        self._log, self.size, self.failure = extension.log, extension.log.size, None
        return planned, result

    def stop_signing(self) -> None:
        """No checkpoint from now on: another history was signed by our key. Any thread."""
        self._signs = False

    def due_in_ms(self, now_s: float, at_most_ms: int) -> float:
        """How long until a checkpoint is due; at most `at_most_ms`."""
        if self._log is None or self.size == self.signed_size or not self._signs:
            return at_most_ms
        due = self._signed_at + self._config.checkpoint_every_ms / 1000
        return min(max(due - now_s, 0) * 1000, at_most_ms)

    def sign_if_due(self, now_s: float, *, force: bool = False) -> None:
        """Signs what is committed, at most every `checkpoint_every_ms` or `_entries`."""
        try:
            log = self._current()
        except GatewayError as error:
            self.failure = error
            return
        unsigned = log.size - self.signed_size
        if not unsigned or not self._signs:
            return
        full = unsigned >= self._config.checkpoint_every_entries
        if not force and not full and self.due_in_ms(now_s, 1) > 0:
            return
        self._signed_at = now_s
        note = self._signer.sign(log.size, log.root())
        try:
            self._surroundings.keep_checkpoint(note)
        except StoreFailedError:
            self._metrics.checkpoint_failures.inc()
            return
        self.note, self.signed_size = note, log.size

    def _current(self) -> Log:
        """The log, read again where a failed transaction left it unknown. Raises Store*Error."""
        if self._log is None:
            self._log = self._store.read(Log.load)
            self.size = self._log.size
        return self._log

    def _put(
        self,
        transaction: Transaction,
        log: Log,
        stamp: Stamp,
        work: Callable[[Transaction], tuple[Sequence[Submission], Result]],
        states: Mapping[str, bytes],
    ) -> tuple[Plan, Extension, Result]:
        submissions, result = work(transaction)
        planned = plan(submissions, log.size, transaction, self._seen, self._alerted)
        salts = self._surroundings.random(SALT_BYTES * len(planned.drafts))
        extension = log.extended(log.seal(planned.drafts, stamp, salts))
        extension.put(transaction)
        keep_changes(planned, transaction, extension.entries)
        transaction.put_numbers((*number, index) for number, index in planned.numbers.items())
        for key, value in states.items():
            transaction.put_state(key, value)
        if extension.entries and self.note != self._stored_note:
            transaction.put_state(CHECKPOINT, self.note.encode())
        return planned, extension, result

    def _stamp(self, log: Log) -> Stamp:
        now_ms = max(self._surroundings.unix_ms(), 0)
        trusted = now_ms >= CLOCK_FLOOR_MS and now_ms >= log.received_ms - _CLOCK_SLACK_MS
        if not trusted:
            self._metrics.clock_steps.inc()
        self.clock_trusted = trusted
        return Stamp(now_ms, int(trusted))

    def _remember_alerts(self, planned: Plan) -> None:
        self._alerted.update(planned.alerts)
        while len(self._alerted) > _MAX_ALERTED:
            self._alerted.pop()
