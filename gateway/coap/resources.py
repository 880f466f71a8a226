"""`POST /r` and `GET /time`: a request becomes a submission, an outcome becomes a code."""

import asyncio
from collections.abc import Callable, Mapping

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
from gateway.coap.signed import Refusal, Signed
from gateway.errors import ANSWERS, GatewayError, NotAcceptableError, UnsupportedFormatError
from gateway.ingest import form
from gateway.ingest.judge import Accepted, judge
from gateway.ledger.batch import PACK, Number, Submission
from gateway.ledger.log import Draft
from gateway.members import Members
from gateway.metrics import Metrics
from gateway.sequencer import Sequencer
from protocol import cbor
from protocol.errors import ProtocolError
from protocol.limits import (
    CONTENT_FORMAT_COSE_MAC0,
    CONTENT_FORMAT_COSE_SIGN1,
    MAX_ENVELOPE_BYTES,
)

READ_FORMATS = (CONTENT_FORMAT_COSE_MAC0, CONTENT_FORMAT_COSE_SIGN1)
CBOR_FORMAT = 60
_TIME_MAX_AGE_S = 0


class ReadingsResource:
    """Who was just added or revoked counts at once."""

    def __init__(
        self,
        members: Members,
        sequencer: Sequencer,
        metrics: Metrics,
        signed: Signed,
        *,
        time_ms: Callable[[], int],
        news: Mapping[str, bytes],
    ) -> None:
        self._members = members
        self._sequencer = sequencer
        self._metrics = metrics
        self._signed = signed
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
        content_format = request.number(CONTENT_FORMAT)
        if content_format not in READ_FORMATS:
            raise UnsupportedFormatError("Content-Formats 17 and 18 are what /r reads")
        if request.number(ACCEPT) not in (None, CONTENT_FORMAT_COSE_MAC0):
            raise NotAcceptableError("a receipt has Content-Format 17")
        await self._members.keep_up()
        accepted = judge(request.payload, self._members.registry, content_format)
        if accepted.claim is not None:
            await self._checked(accepted)
        device, parts, _ = accepted
        number = Number(parts.kid, parts.epoch, parts.sequence)
        draft = Draft(PACK, device.name, parts.data)
        kept = await self._sequencer.submit(Submission(draft, number))
        if device.succeeds:
            self._members.succeed(device.name)
        # Only now, after the commit: this is the promise.
        news = self._news.get(device.name, form.NO_NEWS)
        payload = form.receipt(parts, device.down, kept.index, self._time_ms(), news)
        options = [(CONTENT_FORMAT, uint(CONTENT_FORMAT_COSE_MAC0))]
        answer = Response(ANSWERS["kept"].coap, options, payload)
        return answer, "repeat" if kept.repeat else "kept"

    async def _checked(self, accepted: Accepted) -> None:
        """Returns once its signature was found to hold; the refusal where it does not."""
        future: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()

        def settle(_: object, refusals: list[Refusal | None]) -> None:
            if not future.done():  # whoever asked has gone
                future.set_result(refusals[0])

        self._signed.admit(accepted)
        self._signed.check([(None, accepted)], settle)
        refusal = await future
        if refusal is not None:
            raise refusal


class TimeResource:
    """CBOR Unix ms, 0 where the clock is not trusted. Not authenticated: a hint for people."""

    def __init__(self, time_ms: Callable[[], int]) -> None:
        self._time_ms = time_ms

    async def get(self, request: Request) -> Response:
        options = [(CONTENT_FORMAT, uint(CBOR_FORMAT)), (MAX_AGE, uint(_TIME_MAX_AGE_S))]
        return Response(CONTENT, options, cbor.encode(self._time_ms()))
