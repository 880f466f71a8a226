"""`/c`: POST is what a device asks when something is new for it, GET whether anything is."""

from collections.abc import Awaitable, Callable

from gateway.coap.limiter import Limiter
from gateway.coap.refusals import refusal
from gateway.coap.requests import (
    ACCEPT,
    CHANGED,
    CONTENT,
    CONTENT_FORMAT,
    Request,
    Response,
    uint,
)
from gateway.control.desk import Desk
from gateway.errors import (
    ForbiddenError,
    GatewayError,
    NotAcceptableError,
    RateError,
    UnauthorizedError,
    UnsupportedFormatError,
)
from gateway.ingest import form
from gateway.metrics import Metrics
from gateway.registry import Registry
from protocol import control
from protocol.errors import ProtocolError
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, MAX_ENVELOPE_BYTES
from protocol.mac import HmacKey

_CBOR = 60
_MAP_OF_TWO = b"\xa2"
_PER_S, _BURST, _DEVICES = 2, 16, 4096  # of one device: a long configuration, and no more


class ControlResource:
    """`keep_up` brings the registry up to date; `now_ms` is monotonic."""

    def __init__(
        self,
        registry: Registry,
        desk: Desk,
        metrics: Metrics,
        *,
        keep_up: Callable[[], Awaitable[None]],
        now_ms: Callable[[], int],
    ) -> None:
        self._registry = registry
        self._desk = desk
        self._metrics = metrics
        self._keep_up = keep_up
        self._now_ms = now_ms
        self._limiter = Limiter(per_s=_PER_S, burst=_BURST, sources=_DEVICES)

    async def post(self, request: Request) -> Response:
        """Refusals have no words, whoever asks; see `surface`."""
        try:
            answer = await self._answer(request)
            outcome = "told"
        except (ProtocolError, GatewayError) as error:
            answer = refusal(error, request, max_body_bytes=MAX_ENVELOPE_BYTES)
            outcome = error.reason
        self._metrics.outcomes.labels("coap", outcome).inc()
        return answer

    async def get(self, request: Request) -> Response:
        """The two fields of a receipt that say what is new; to be observed. Under OSCORE only.

        UnauthorizedError for whoever is no device: nobody else learns of it.
        """
        if request.protect is None or request.who is None or request.scope is not None:
            raise UnauthorizedError("what is new for a device, only the device may see")
        news = self._desk.news.get(request.who, form.NO_NEWS)
        return Response(CONTENT, [(CONTENT_FORMAT, uint(_CBOR))], _MAP_OF_TWO + news)

    def watch(self, request: Request, changed: Callable[[], None]) -> Callable[[], None]:
        """Ends with what it returns."""
        return self._desk.watching.add(request.who or "", changed)

    async def _answer(self, request: Request) -> Response:
        if request.number(CONTENT_FORMAT) != CONTENT_FORMAT_COSE_MAC0:
            raise UnsupportedFormatError("Content-Format 17 is what /c reads")
        if request.number(ACCEPT) not in (None, CONTENT_FORMAT_COSE_MAC0):
            raise NotAcceptableError("an answer has Content-Format 17")
        await self._keep_up()
        device = self._registry.find(control.kid_of_question(request.payload))
        question = control.open_question(HmacKey(device.down), request.payload)
        protected = request.protect is not None
        if protected and request.who != device.name:
            raise ForbiddenError("another device's question")
        # only now: a kid is public, and nobody may use up another's share
        if not self._limiter.allows(device.kid, self._now_ms()):
            raise RateError(f"{device.name} asks more than its share")
        told = await self._desk.ask(device, question, peer=request.peer, protected=protected)
        return Response(CHANGED, [(CONTENT_FORMAT, uint(CONTENT_FORMAT_COSE_MAC0))], told)
