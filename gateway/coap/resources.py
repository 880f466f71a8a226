"""`POST /r` and `GET /time`: a request becomes a submission, an outcome becomes a code."""

from collections.abc import Awaitable, Callable

import aiocoap
from aiocoap import Code
from aiocoap.resource import Resource

from gateway.errors import ANSWERS, GatewayError, UnsupportedFormatError
from gateway.ingest import form
from gateway.ingest.judge import judge
from gateway.ledger.batch import PACK, Number, Submission
from gateway.ledger.log import Draft
from gateway.metrics import Metrics
from gateway.registry import Registry
from gateway.sequencer import Sequencer
from protocol import cbor
from protocol.errors import ProtocolError, TooLargeError
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, MAX_ENVELOPE_BYTES

RETRY_AFTER_S = 5  # Max-Age of a 5.03 that does not say for how long: a full queue drains in less
_CBOR_FORMAT = 60
_TIME_MAX_AGE_S = 0


class ReadingsResource(Resource):  # type: ignore[misc]  # aiocoap ships no types
    """`keep_up` brings the registry up to date: who was just added or revoked counts at once."""

    def __init__(
        self,
        registry: Registry,
        sequencer: Sequencer,
        metrics: Metrics,
        *,
        keep_up: Callable[[], Awaitable[None]],
        time_ms: Callable[[], int],
    ) -> None:
        super().__init__()
        self.ct = CONTENT_FORMAT_COSE_MAC0
        self.rt = "tallystick.readings"
        self._registry = registry
        self._sequencer = sequencer
        self._metrics = metrics
        self._keep_up = keep_up
        self._time_ms = time_ms

    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        try:
            answer, outcome = await self._keep(request)
        except (ProtocolError, GatewayError) as error:
            answer, outcome = _refusal(error), error.reason
        self._metrics.outcomes.labels("coap", outcome).inc()
        return answer

    async def _keep(self, request: aiocoap.Message) -> tuple[aiocoap.Message, str]:
        if request.opt.content_format != CONTENT_FORMAT_COSE_MAC0:
            raise UnsupportedFormatError("Content-Format 17 is what /r reads")
        await self._keep_up()
        device, parts = judge(request.payload, self._registry)
        number = Number(parts.kid, parts.epoch, parts.sequence)
        draft = Draft(PACK, device.name, parts.data)
        kept = await self._sequencer.submit(Submission(draft, number))
        # Only now, after the commit: this is the promise.
        payload = form.receipt(parts, device.down, kept.index, self._time_ms())
        answer = aiocoap.Message(
            code=Code(ANSWERS["kept"].coap),
            payload=payload,
            content_format=CONTENT_FORMAT_COSE_MAC0,
        )
        return answer, "repeat" if kept.repeat else "kept"


class TimeResource(Resource):  # type: ignore[misc]  # aiocoap ships no types
    """CBOR Unix ms, 0 where the clock is not trusted. Not authenticated: a hint for people."""

    def __init__(self, time_ms: Callable[[], int]) -> None:
        super().__init__()
        self.ct = _CBOR_FORMAT
        self.rt = "tallystick.time"
        self._time_ms = time_ms

    async def render_get(self, request: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(
            payload=cbor.encode(self._time_ms()),
            content_format=_CBOR_FORMAT,
            max_age=_TIME_MAX_AGE_S,
        )


def _refusal(error: ProtocolError | GatewayError) -> aiocoap.Message:
    """No diagnostic payload: whoever asks here may be anyone."""
    answer = ANSWERS[error.reason]
    message = aiocoap.Message(code=Code(answer.coap))
    if answer.retry:
        hint_s = error.retry_after_s if isinstance(error, GatewayError) else None
        message.opt.max_age = hint_s or RETRY_AFTER_S
    if error.reason == TooLargeError.reason:
        message.opt.size1 = MAX_ENVELOPE_BYTES  # RFC 7252 §5.9.2.9
    return message
