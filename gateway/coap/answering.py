"""A request answered: who asks, what is there, and what the options make of it.

No message layer and no socket: `answer` takes a request, of whatever transport or OSCORE
context, and returns what to send back.
"""

from collections.abc import Callable
from functools import partial

from gateway.coap import blocks
from gateway.coap.assembly import OF_NOBODY, OF_SOMEBODY, Assembly
from gateway.coap.blocks import MAX_EXPONENT, Block
from gateway.coap.echo import SMALL_EXPONENT, Echoes
from gateway.coap.mishaps import Mishaps
from gateway.coap.notification import numbered
from gateway.coap.observe import Observers
from gateway.coap.refusals import explained, refusal
from gateway.coap.requests import (
    ACCEPT,
    BLOCK1,
    BLOCK2,
    CONTENT_FORMAT,
    CONTINUE,
    DELETE,
    ECHO,
    ETAG,
    GET,
    IF_MATCH,
    MAX_AGE,
    METHODS,
    OBSERVE,
    POST,
    PUT,
    SERVER_ERROR,
    SIZE1,
    UNAUTHORIZED,
    VALID,
    Handler,
    Request,
    Response,
)
from gateway.coap.routes import Route, Routes
from gateway.errors import GatewayError, MethodError, NotAcceptableError, PreconditionError
from gateway.metrics import Metrics
from protocol.errors import ProtocolError, TooLargeError

_REGISTER = 0  # RFC 7641 §2
_NAMES = {GET: "get", POST: "post", PUT: "put", DELETE: "delete"}  # labels, and no others
_OCTETS = 42  # application/octet-stream: what has no Content-Format
_OF_A_VIEW = (ACCEPT, BLOCK2)  # what else decides what a notification looks like


class Answering:
    """`identify` puts a name to a request, or raises; `now_ms` is monotonic."""

    def __init__(
        self,
        routes: Routes,
        echoes: Echoes,
        metrics: Metrics,
        *,
        identify: Callable[[Request], Request],
        now_ms: Callable[[], int],
    ) -> None:
        self._routes = routes
        self._echoes = echoes
        self._metrics = metrics
        self._mishaps = Mishaps(metrics)
        self._identify = identify
        self._now_ms = now_ms
        self._of_nobody = Assembly(OF_NOBODY)
        self._of_somebody = Assembly(OF_SOMEBODY)
        self.observers: Observers | None = None  # the notifier's, once there is one

    async def answer(self, request: Request) -> Response:
        """Raises nothing: what goes wrong is an answer, too."""
        response = await self._guarded(request, self._answer)
        observes = request.code == GET and response.first(OBSERVE) is not None
        method = "observe" if observes else _NAMES.get(request.code, "other")
        self._metrics.coap.answers.labels(method, f"{response.code >> 5}.xx").inc()
        return response

    async def render(self, request: Request) -> Response:
        """What a GET of an observer brings now, or why it no longer may."""
        return await self._guarded(request, self._notify)

    async def _guarded(self, request: Request, step: Handler) -> Response:
        try:
            return await step(request)
        except (ProtocolError, GatewayError) as error:
            self._metrics.outcomes.labels("coap", error.reason).inc()
            refused = refusal(error, request)
            if self._routes.explains(request.path):
                return explained(refused, error.reason, str(error), request)
            return refused
        except Exception as error:  # one request must not end the door
            self._metrics.outcomes.labels("coap", "failed").inc()
            self._mishaps.note("requests", error)
            return Response(SERVER_ERROR)

    async def _answer(self, request: Request) -> Response:
        if request.code not in METHODS:
            raise MethodError("no such method")  # RFC 7252 §5.8, wherever it is asked
        real = self._real(request)
        request = self._identify(request)
        route = self._routes.find(request.path)
        handler = route.handler(request)
        route.may(request)
        if request.code == GET:
            return await self._get(request, route, handler, real)
        whole = self._whole(request, route)
        if whole is None:
            return Response(CONTINUE, [(BLOCK1, request.first(BLOCK1) or b"")])
        response = await handler(whole)
        block = request.first(BLOCK1)
        return response if block is None else response.with_options((BLOCK1, block))

    def _real(self, request: Request) -> bool:
        """Whether nobody can have forged the address, or not for more than one answer."""
        echo = request.first(ECHO)
        verified = self._echoes.verified(request.peer, echo, self._now_ms())
        return verified or request.local or request.who is not None

    async def _get(self, request: Request, route: Route, handler: Handler, real: bool) -> Response:
        real = real or request.who is not None
        wanted = blocks.asked(request, BLOCK2) or Block(0, False, MAX_EXPONENT)
        if wanted.number and wanted.exponent > SMALL_EXPONENT and not real:
            return Response(UNAUTHORIZED, [self._echo(request)])
        sequence = self._observe(request, route, wanted) if real else None
        try:
            response = selected(request, await handler(request))
            response = blocks.cut(response, request, MAX_EXPONENT if real else SMALL_EXPONENT)
        except BaseException:
            self._cancel(request)
            raise
        if sequence is not None:
            return numbered(response, sequence)
        offered = request.first(OBSERVE) is not None or response.first(BLOCK2) is not None
        return response if real or not offered else response.with_options(self._echo(request))

    async def _notify(self, request: Request) -> Response:
        route = self._routes.find(request.path)
        route.may(request)
        response = selected(request, await route.methods[GET](request))
        return blocks.cut(response, request)

    def _observe(self, request: Request, route: Route, wanted: Block) -> int | None:
        """The number for the answer to whoever observes from now on (RFC 7641 §4.1).

        Whoever asks for a later block has the observation already (RFC 7959 §2.6).
        """
        asked = request.number(OBSERVE)
        if asked is None or wanted.number or self.observers is None or route.watch is None:
            return None
        if asked != _REGISTER:
            self._cancel(request)
            return None
        kept = tuple(option for option in request.options if option[0] in _OF_A_VIEW)
        request = request._replace(options=kept)
        key = request.path, request.queries, request.who, request.scope, kept
        watch = partial(route.watch, request)
        return self.observers.register(request, key, watch, self._now_ms())

    def _cancel(self, request: Request) -> None:
        if self.observers is not None and request.first(OBSERVE) is not None:
            self.observers.cancel(request.peer, request.token)

    def _echo(self, request: Request) -> tuple[int, bytes]:
        return ECHO, self._echoes.value(request.peer, self._now_ms())

    def _whole(self, request: Request, route: Route) -> Request | None:
        """With its whole body, None while blocks of it are missing."""
        limit = route.max_body_bytes
        size_bytes = max(len(request.payload), request.number(SIZE1) or 0)
        if size_bytes > limit:
            raise TooLargeError(f"{size_bytes} bytes, over {limit}", limit)
        block = blocks.asked(request, BLOCK1)
        if block is None:
            return request
        assembly = self._of_nobody if request.who is None else self._of_somebody
        body = assembly.add(request, block, max_bytes=limit, now_ms=self._now_ms())
        return None if body is None else request._replace(payload=body)


def selected(request: Request, response: Response) -> Response:
    """What Accept, If-Match and ETag make of a representation (RFC 7252 §5.10)."""
    held = response.first(CONTENT_FORMAT)
    accept = request.number(ACCEPT)
    if accept not in (None, _OCTETS if held is None else int.from_bytes(held, "big")):
        raise NotAcceptableError(f"there is no Content-Format {accept} of this")
    etag = response.first(ETAG)
    matches = request.every(IF_MATCH)
    if matches and etag not in matches and b"" not in matches:
        raise PreconditionError("it is another one now")
    if etag is not None and etag in request.every(ETAG):
        kept = [option for option in response.options if option[0] in (ETAG, MAX_AGE)]
        return Response(VALID, kept)
    return response
