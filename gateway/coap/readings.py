"""Readings: `POST /r` as devices send it, in batches from the socket to the ledger and back.

What is stored is not decided by message ids: (device, epoch, sequence) does, with no window, so
a repeat is a repeat whatever carries it. What is signed waits for its check first (`Signed`).
Bounded by that queue and the sequencer's; past them, CON is answered 5.03 and NON is dropped.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from gateway.coap.bulk import Peer
from gateway.coap.limiter import Limiter
from gateway.coap.messages import EMPTY_ACK_MS
from gateway.coap.mishaps import Mishaps
from gateway.coap.posted import Posted
from gateway.coap.repeats import Repeats
from gateway.coap.retrying import RETRY_S, retry_s
from gateway.coap.signed import Refusal, Signed
from gateway.errors import ANSWERS, BusyError, GatewayError, RateError
from gateway.ingest import form
from gateway.ingest.judge import Accepted, judge
from gateway.ledger.batch import PACK, Kept, Number, Submission
from gateway.ledger.log import Draft
from gateway.members import Members
from gateway.metrics import Metrics
from gateway.sequencer import Sequencer
from protocol import coap
from protocol.coap import ACK, CON, NON
from protocol.errors import ProtocolError, TooLargeError
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, MAX_ENVELOPE_BYTES

_Asked = tuple[Posted, Accepted]
_KEPT, _FAILED = ANSWERS["kept"].coap, 0xA0  # 5.00
_KEPT_HEAD = b"\xc1" + bytes((CONTENT_FORMAT_COSE_MAC0,)) + b"\xff"  # Content-Format 17, marker
_SIZE1 = b"\xd2\x2f" + MAX_ENVELOPE_BYTES.to_bytes(2, "big")  # option 60 (RFC 7252 §5.9.2.9)


class Sending(Protocol):
    """The endpoint, as this module sees it."""

    def send(self, data: bytes, peer: Peer) -> None: ...

    def send_confirmed(self, data: bytes, peer: Peer) -> None:
        """`data` is a CON: sent until it is acknowledged or given up."""

    def next_message_id(self) -> int: ...

    def jitter(self) -> float:
        """From 0 to 1."""


class Clocks(NamedTuple):
    """`now_ms` is monotonic; `time_ms` is Unix ms, 0 where not trusted."""

    now_ms: Callable[[], int]
    time_ms: Callable[[], int]


class Readings:
    """Belongs to the event loop.

    `news`: by device, what its receipts say of its configuration and commands.
    """

    def __init__(
        self,
        members: Members,
        sequencer: Sequencer,
        metrics: Metrics,
        per_device: Limiter,
        signed: Signed,
        clocks: Clocks,
    ) -> None:
        self._signed = signed
        self._now_ms, self._time_ms = clocks.now_ms, clocks.time_ms
        self.news: Mapping[str, bytes] = {}  # the desk's, once there is one
        self._members = members
        self._sequencer = sequencer
        self._metrics = metrics
        self._mishaps = Mishaps(metrics)
        self._per_device = per_device
        self._told = Limiter(per_s=1, burst=1, sources=1024)  # who was told that it sends too much
        self._waiting: dict[int, Posted] = {}  # to be checked and kept, by key, oldest first
        self._repeats = Repeats(self._now_ms())
        self._holding = False  # for the entries of members that have changed, all of `_held`
        self._held: list[Posted] = []

    def attach(self, sending: Sending) -> None:
        self._sending = sending

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, batch: list[Posted], now_ms: int) -> None:
        """Judges each; answers what is refused now, and all others once they are kept."""
        try:
            changed = self._members.refresh()
        except GatewayError as error:
            self._refuse_all(batch, error)
            return
        if changed and not self._holding:
            self._holding = True
            self._task = asyncio.create_task(self._take_held(), name="members")
        if self._holding:
            self._hold(batch)
        else:
            self._judge_all(batch, now_ms)

    def tick(self, now_ms: int) -> None:
        """Tells who has waited for a second that an answer comes (RFC 7252 §5.2.2)."""
        for one in chain(self._waiting.values(), self._held):
            if now_ms - one.since_ms < EMPTY_ACK_MS:
                break
            if not one.acknowledged:
                one.acknowledged = True
                self._acknowledge(one)

    async def _take_held(self) -> None:
        """A device that was just added is enrolled in the ledger before its first pack."""
        refusal: GatewayError | None = None
        try:
            await self._members.note_changes()
        except GatewayError as error:
            refusal = error
        except Exception as error:  # else all readings would wait for ever
            self._mishaps.note("members", error)
            refusal = BusyError("a change of members failed")
        self._holding = False
        held, self._held = self._held, []
        if refusal is None:
            self._judge_all(held, self._now_ms())
        else:
            self._refuse_all(held, refusal)

    def _hold(self, batch: list[Posted]) -> None:
        room = max(self._sequencer.room - len(self._held), 0)
        self._held += batch[:room]
        self._refuse_all(batch[room:], BusyError("waiting for a change of members"))

    def _judge_all(self, batch: list[Posted], now_ms: int) -> None:
        asked: list[_Asked] = []
        signed: list[_Asked] = []
        registry, room = self._members.registry, self._sequencer.room
        for one in batch:
            if self._is_waiting(one):
                continue
            try:
                if len(asked) >= room:
                    raise BusyError("the queue before the writer is full")
                accepted = judge(one.envelope, registry, one.content_format)
                if accepted.claim is None:
                    self._allow(accepted, now_ms)
                    asked.append((one, accepted))
                else:
                    self._signed.admit(accepted)
                    signed.append((one, accepted))
            except Exception as error:  # whatever it is, the others of this turn are judged
                self._not_taken(one, error, now_ms)
                continue
            self._waiting[one.key] = one
        if asked:
            self._submit(asked)
        if signed:
            self._signed.check(signed, self._checked)

    def _is_waiting(self, one: Posted) -> bool:
        """Whether the same has come, and is not answered yet; hears what that one has heard."""
        before = self._waiting.get(one.key)
        if before is not None and before.acknowledged:
            self._acknowledge(one)
        return before is not None

    def _checked(self, asked: list[_Asked], refusals: list[Refusal | None]) -> None:
        """What is signed by its device goes to the writer."""
        now_ms = self._now_ms()
        good: list[_Asked] = []
        for (one, accepted), refusal in zip(asked, refusals, strict=True):
            try:
                if refusal is not None:
                    raise refusal
                self._allow(accepted, now_ms)
            except (ProtocolError, GatewayError) as error:
                del self._waiting[one.key]
                self._not_taken(one, error, now_ms)
                continue
            good.append((one, accepted))
        if good:
            self._submit(good)

    def _allow(self, accepted: Accepted, now_ms: int) -> None:
        """After it was authenticated: nobody else can use up a device's share."""
        if not self._per_device.allows(accepted.parts.kid, now_ms):
            raise RateError(f"{accepted.device.name} sends more than its share")

    def _submit(self, asked: list[_Asked]) -> None:
        submissions = [
            Submission(
                Draft(PACK, device.name, parts.data),
                Number(parts.kid, parts.epoch, parts.sequence),
            )
            for _, (device, parts, _) in asked
        ]
        try:
            self._sequencer.submit_all(submissions, lambda outcomes: self._settle(asked, outcomes))
        except GatewayError as error:
            self._settle(asked, [error] * len(asked))

    def _settle(self, asked: list[_Asked], outcomes: Sequence[Kept | GatewayError]) -> None:
        """Only now, after the commit: this is the promise."""
        time_ms, moment = self._time_ms(), self._now_ms()
        kept = repeated = 0
        for one, _ in asked:  # first: whatever becomes of the answers, a repeat is heard
            del self._waiting[one.key]
        for (one, (device, parts, _)), outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, GatewayError):
                self._refuse(one, outcome)
                continue
            if device.succeeds:
                self._members.succeed(device.name)
            told_ms = self._repeats.find(one.key, moment) if outcome.repeat else None
            if outcome.repeat:
                repeated += 1
                if told_ms is not None and one.kind == NON:
                    continue
            else:
                kept += 1
            if told_ms is None:
                self._repeats.remember(one.key, time_ms, moment)
            told_ms = time_ms if told_ms is None else told_ms
            news = self.news.get(device.name, form.NO_NEWS)
            receipt = form.receipt(parts, device.down, outcome.index, told_ms, news)
            self._answer(one, _KEPT, _KEPT_HEAD + receipt)
        self._count("kept", kept)
        self._count("repeat", repeated)

    def _not_taken(self, one: Posted, error: Exception, now_ms: int) -> None:
        if isinstance(error, (ProtocolError, GatewayError)):
            self._refuse(one, error, now_ms)
        else:
            self._mishaps.note("readings", error)
            self._answer(one, _FAILED, b"")

    def _refuse_all(self, batch: list[Posted], error: GatewayError) -> None:
        for one in batch:
            self._refuse(one, error)

    def _refuse(
        self, one: Posted, error: ProtocolError | GatewayError, now_ms: int | None = None
    ) -> None:
        """No words: whoever asks here may be anyone, and a device believes no refusal."""
        self._count(error.reason, 1)
        answer = ANSWERS[error.reason]
        tail = b""
        if answer.retry:
            if one.kind == NON and one.reply is None:
                return
            hint_s = error.retry_after_s if isinstance(error, GatewayError) else None
            tail = max_age(retry_s(hint_s or RETRY_S, self._sending.jitter()))
        if isinstance(error, RateError):
            who = one.envelope[8:16]
            if one.reply is None and (now_ms is None or not self._told.allows(who, now_ms)):
                return
        elif isinstance(error, TooLargeError):
            tail = _SIZE1
        self._answer(one, answer.coap, tail)

    def _acknowledge(self, one: Posted) -> None:
        if one.kind == CON and one.reply is None:
            self._sending.send(coap.empty(ACK, one.message_id), one.peer)

    def _answer(self, one: Posted, code: int, tail: bytes) -> None:
        if one.reply is not None:
            one.reply(code, tail)
            return
        head = one.head
        if one.kind == CON and not one.acknowledged:
            self._sending.send(bytes((0x60 | head[0] & 15, code)) + head[2:] + tail, one.peer)
            return
        own = self._sending.next_message_id().to_bytes(2, "big")
        data = bytes((head[0], code)) + own + head[4:] + tail  # RFC 7252 §5.2.2, §5.2.3
        if one.kind == CON:
            self._sending.send_confirmed(data, one.peer)
        else:
            self._sending.send(data, one.peer)

    def _count(self, outcome: str, count: int) -> None:
        if count:
            self._metrics.outcomes.labels("coap", outcome).inc(count)


def max_age(seconds: int) -> bytes:
    """The option, where no other stands before it."""
    value = seconds.to_bytes((seconds.bit_length() + 7) // 8, "big")
    return bytes((0xD0 | len(value), 14 - 13)) + value
