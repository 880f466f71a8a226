"""Signed: envelopes that are kept if their signatures hold, while those are checked.

Bounded in all and for each device: whoever knows a kid, which is public, can have signatures
checked that are none, but only in that device's room. Who signs is not known before.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from gateway.coap.nonces import Nonces
from gateway.errors import BusyError, GatewayError, RateError, RevokedError
from gateway.ingest.judge import Accepted
from gateway.ledger.batch import ALERT, Submission
from gateway.ledger.log import Draft
from gateway.metrics import Metrics
from protocol.errors import BadSignatureError, ProtocolError

MAX_WAITING = 4096
MAX_OF_ONE = 64  # a device waits for an answer before it sends the next
Refusal = ProtocolError | GatewayError
Carrier = TypeVar("Carrier")  # whatever an envelope came with


class Checks(Protocol):
    """Who checks; see gateway.signatures.pool."""

    def lane_of(self, kid: bytes) -> int: ...

    def check(
        self,
        lane: int,
        records: Sequence[bytes],
        settle: Callable[[Sequence[bool] | BusyError], None],
    ) -> None: ...


class Signed:
    """`revoke(name, why)` ends all keys of a device; `record` puts an entry into the ledger."""

    def __init__(
        self,
        checks: Checks,
        metrics: Metrics,
        *,
        revoke: Callable[[str, str], None],
        record: Callable[[Submission], object],
    ) -> None:
        self._checks = checks
        self._metrics = metrics.signatures
        self._revoke = revoke
        self._record = record
        self._nonces = Nonces()
        self._of_one: Counter[bytes] = Counter()
        self._waiting = 0

    def admit(self, accepted: Accepted) -> None:
        """There is room, and it is taken; BusyError or RateError where there is none."""
        kid = accepted.parts.kid
        if self._waiting >= MAX_WAITING:
            raise BusyError("the queue before the signatures is full")
        if self._of_one[kid] >= MAX_OF_ONE:
            raise RateError(f"{MAX_OF_ONE} envelopes of {accepted.device.name} wait to be checked")
        self._of_one[kid] += 1
        self._wait(1)

    def check(
        self,
        asked: Sequence[tuple[Carrier, Accepted]],
        settle: Callable[[list[tuple[Carrier, Accepted]], list[Refusal | None]], None],
    ) -> None:
        """`settle` gets each of those that were admitted, some at a time, and why it is refused.

        Those of one device come in their order. Never fails.
        """
        lanes: dict[int, list[tuple[Carrier, Accepted]]] = defaultdict(list)
        for one in asked:
            lanes[self._checks.lane_of(one[1].parts.kid)].append(one)
        for lane, some in lanes.items():
            self._ask(lane, some, settle)

    def _ask(
        self,
        lane: int,
        asked: list[tuple[Carrier, Accepted]],
        settle: Callable[[list[tuple[Carrier, Accepted]], list[Refusal | None]], None],
    ) -> None:
        def answered(outcome: Sequence[bool] | BusyError) -> None:
            self._wait(-len(asked))
            for _, accepted in asked:
                self._leave(accepted.parts.kid)
            if isinstance(outcome, BusyError):
                settle(asked, [outcome] * len(asked))
                return
            refusals = [
                self._refusal(accepted, holds)
                for (_, accepted), holds in zip(asked, outcome, strict=True)
            ]
            settle(asked, refusals)

        try:
            records = [b"".join(accepted.claim or ()) for _, accepted in asked]
            self._checks.check(lane, records, answered)
        except BusyError as error:
            answered(error)

    def _refusal(self, accepted: Accepted, holds: bool) -> Refusal | None:
        device, parts, claim = accepted
        if not holds or claim is None:
            return BadSignatureError("the signature does not hold")
        if self._nonces.is_reused(parts.kid, claim.signature[:32], claim.digest):
            # the refused bytes themselves are the evidence; anyone may have the key by now
            self._record(Submission(Draft(ALERT, device.name, parts.data)))
            self._revoke(device.name, "it signed two packs with one nonce: its key is known")
            return RevokedError(f"{device.name} used a nonce twice")
        return None

    def _leave(self, kid: bytes) -> None:
        self._of_one[kid] -= 1
        if not self._of_one[kid]:
            del self._of_one[kid]

    def _wait(self, count: int) -> None:
        self._waiting += count
        self._metrics.waiting.set(self._waiting)
