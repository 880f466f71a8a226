"""`POST /r` and `GET /time`: a request becomes a submission, an outcome becomes a code."""

from collections.abc import Awaitable, Callable, Mapping

from gateway.coap.refusals import refusal
from gateway.coap.requests import (
    ACCEPT,
    CONTENT,
    CONTENT_FORMAT,
    MAX_AGE,
    Request,
    Response,
    uint,
)
from gateway.errors import ANSWERS, GatewayError, NotAcceptableError, UnsupportedFormatError
from gateway.ingest import form
from gateway.ingest.judge import judge
from gateway.ledger.batch import PACK, Number, Submission
from gateway.ledger.log import Draft
from gateway.metrics import Metrics
from gateway.registry import Registry
from gateway.sequencer import Sequencer
from protocol import cbor
from protocol.errors import ProtocolError
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, MAX_ENVELOPE_BYTES

CBOR_FORMAT = 60
_TIME_MAX_AGE_S = 0


class ReadingsResource:
    """`keep_up` brings the registry up to date: who was just added or revoked counts at once."""

    def __init__(
        self,
        registry: Registry,
        sequencer: Sequencer,
        metrics: Metrics,
        *,
        keep_up: Callable[[], Awaitable[None]],
        time_ms: Callable[[], int],
        news: Mapping[str, bytes],
    ) -> None:
        self._registry = registry
        self._sequencer = sequencer
        self._metrics = metrics
        self._keep_up = keep_up
        self._time_ms = time_ms
        self._news = news

    async def post(self, request: Request) -> Response:
        """Refusals have no words, whoever asks; see `surface`."""
        try:
            answer, outcome = await self._keep(request)
        except (ProtocolError, GatewayError) as error:
            answer = refusal(error, request, max_body_bytes=MAX_ENVELOPE_BYTES)
            outcome = error.reason
        self._metrics.outcomes.labels("coap", outcome).inc()
        return answer

    async def _keep(self, request: Request) -> tuple[Response, str]:
        if request.number(CONTENT_FORMAT) != CONTENT_FORMAT_COSE_MAC0:
            raise UnsupportedFormatError("Content-Format 17 is what /r reads")
        if request.number(ACCEPT) not in (None, CONTENT_FORMAT_COSE_MAC0):
            raise NotAcceptableError("a receipt has Content-Format 17")
        await self._keep_up()
        device, parts = judge(request.payload, self._registry)
        number = Number(parts.kid, parts.epoch, parts.sequence)
        draft = Draft(PACK, device.name, parts.data)
        kept = await self._sequencer.submit(Submission(draft, number))
        # Only now, after the commit: this is the promise.
        news = self._news.get(device.name, form.NO_NEWS)
        payload = form.receipt(parts, device.down, kept.index, self._time_ms(), news)
        options = [(CONTENT_FORMAT, uint(CONTENT_FORMAT_COSE_MAC0))]
        answer = Response(ANSWERS["kept"].coap, options, payload)
        return answer, "repeat" if kept.repeat else "kept"


class TimeResource:
    """CBOR Unix ms, 0 where the clock is not trusted. Not authenticated: a hint for people."""

    def __init__(self, time_ms: Callable[[], int]) -> None:
        self._time_ms = time_ms

    async def get(self, request: Request) -> Response:
        options = [(CONTENT_FORMAT, uint(CBOR_FORMAT)), (MAX_AGE, uint(_TIME_MAX_AGE_S))]
        return Response(CONTENT, options, cbor.encode(self._time_ms()))
