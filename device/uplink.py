"""Uplink: sends what the outbox holds, one envelope at a time, until a receipt says it is kept.

Only an authenticated receipt deletes. Every other answer may be forged, so it only decides
how long to wait; what is refused again and again is set aside, so that it blocks nobody.
"""

from protocol import coap, envelope, receipt_reader
from protocol.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent
    from device.clock import Clock
    from device.endpoint import Endpoint
    from device.news import News
    from device.outbox import Outbox
    from device.shapes import Board, Report, Sealing, Tick
    from protocol.coap import Message

_MAX_BACKOFF_MS = 60_000
_IDLE_MS = 60_000
_REFUSALS_BEFORE_QUARANTINE = 8
_DEFAULT_MAX_AGE_S, _MAX_MAX_AGE_S = 60, 300  # RFC 7252 §5.10.5, and our patience

_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN = 0x80, 0x81, 0x83
_CONFLICT, _TOO_LARGE, _UNSUPPORTED_FORMAT = 0x89, 0x8D, 0x8F
_TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE = 0x9D, 0xA3  # 4.29 (RFC 8516), 5.03
_REFUSED = (_BAD_REQUEST, _CONFLICT, _TOO_LARGE, _UNSUPPORTED_FORMAT)
_UNKNOWN_HERE = (_UNAUTHORIZED, _FORBIDDEN)
_LATER = (_TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE)
# A gateway that does not know us will take a person to change that.
_LONG_FACTOR = 4


class Uplink:
    """`kept` counts receipts, `bad_receipts` answers that said kept and could not prove it.

    What receipts say besides ends the `agent`, where there is one: it makes room for asking more.
    `news`, where there is any, waits for receipts, too.
    """

    def __init__(
        self,
        board: "Board",
        clock: "Clock",
        identity: "Sealing",
        outbox: "Outbox",
        endpoint: "Endpoint",
        *,
        report: "Report",
    ) -> None:
        self.kept = 0
        self.bad_receipts = 0
        self._board = board
        self._clock = clock
        self._identity = identity
        self._outbox = outbox
        self._endpoint = endpoint
        self._backoff_ms = endpoint.ack_timeout_ms
        self._refusals = 0  # of the envelope at the head of the outbox
        self._report = report
        self._woken = board.event()
        self._finishing = False
        self.agent: Agent | None = None
        self.news: News | None = None

    def wake(self) -> None:
        """There is something in the outbox."""
        self._woken.set()

    def finish(self) -> None:
        """`run` returns once the outbox is empty."""
        self._finishing = True
        self._woken.set()

    async def run(self, tick: "Tick") -> None:
        while True:
            tick()
            self._woken.clear()
            if self.news is not None:
                self.news.look()
            try:
                sealed = self._outbox.peek()
                wait_ms = 0 if sealed is None else await self._send(sealed)
            except OSError:
                sealed, wait_ms = b"", self._wait("flash-error", self._back_off())
            if wait_ms:
                await self._board.sleep_ms(wait_ms)
            elif sealed is None and self._finishing:
                break
            elif sealed is None:
                await self._board.wait(self._woken, _IDLE_MS)
        await self._endpoint.close()

    async def _send(self, sealed: bytes) -> int:
        """Sends one envelope once; returns how long to wait before the next, in ms."""
        content_format = envelope.content_format_of(sealed)
        answer = await self._endpoint.exchange(coap.POST, "r", sealed, content_format)
        self._outbox.unreachable = answer is None
        if answer is None:
            return self._wait(self._endpoint.reason, self._back_off())
        if answer.code == coap.CHANGED:
            return self._settle(sealed, answer.payload)
        reason = coap.code_text(answer.code)
        if answer.code in _REFUSED:
            return self._refused(sealed, reason)
        if answer.code in _UNKNOWN_HERE:
            return self._wait(reason, self._back_off(_LONG_FACTOR))
        if answer.code in _LATER:
            return self._wait(reason, self._with_jitter(1000 * _max_age_s(answer)))
        return self._wait(reason, self._back_off())

    def _settle(self, sealed: bytes, payload: bytes) -> int:
        """Deletes what a receipt proves to be kept."""
        try:
            index, time_ms, version, commands = receipt_reader.open_sealed(
                self._identity.down, payload, sealed
            )
        except ProtocolError:
            self.bad_receipts += 1
            return self._wait("bad-receipt", self._back_off())
        self._outbox.advance()
        self.kept += 1
        self._progressed()
        if self._clock.learn(time_ms):
            self._report("clock-set", time_ms=time_ms)
        epoch, sequence = _number(sealed)
        self._report("kept", index=index, epoch=epoch, sequence=sequence, readings=_count(sealed))
        if self.news is not None:
            self.news.heard(envelope.number_in(sealed))
        if self.agent is not None and (commands or version > self.agent.settings.known):
            if self._clock.uptime_ms() >= self.agent.settings.quiet_ms:
                from device import settling

                settling.end(self.agent, asks=True)
        return 0

    def _refused(self, sealed: bytes, reason: str) -> int:
        self._refusals += 1
        if self._refusals < _REFUSALS_BEFORE_QUARANTINE:
            return self._wait(reason, self._back_off())
        epoch, sequence = _number(sealed)
        self._outbox.set_aside(sealed)
        self._progressed()
        if self.news is not None:
            self.news.settle(envelope.number_in(sealed), heard=False)
        self._report("quarantined", reason=reason, epoch=epoch, sequence=sequence)
        return 0

    def _progressed(self) -> None:
        self._refusals = 0
        self._backoff_ms = self._endpoint.ack_timeout_ms

    def _back_off(self, factor: int = 1) -> int:
        wait_ms = min(self._backoff_ms * factor, _MAX_BACKOFF_MS)
        self._backoff_ms = min(2 * self._backoff_ms, _MAX_BACKOFF_MS)
        return self._with_jitter(wait_ms)

    def _with_jitter(self, wait_ms: int) -> int:
        """From 1 to 1.5 times as long, so that a thousand boards do not come back at once."""
        return wait_ms + (wait_ms * self._board.random_bits(10) >> 11)

    def _wait(self, reason: str, wait_ms: int) -> int:
        self._report("waiting", reason=reason, wait_ms=wait_ms)
        return wait_ms


def _max_age_s(answer: "Message") -> int:
    value = answer.option(coap.MAX_AGE)
    if value is None or len(value) > 4:
        return _DEFAULT_MAX_AGE_S
    return min(int.from_bytes(value, "big"), _MAX_MAX_AGE_S)


def _number(sealed: bytes) -> tuple[int, int]:
    """The epoch and sequence of an envelope of ours."""
    number = int.from_bytes(envelope.number_in(sealed), "big")
    return number >> 32, number & 0xFFFFFFFF


def _count(sealed: bytes) -> int:
    """How many records are in an envelope of ours: the head of its pack's CBOR array."""
    at = envelope.payload_at(sealed)
    return sealed[at + 1] if sealed[at] == 0x98 else sealed[at] & 0x1F
