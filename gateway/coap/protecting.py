"""Requests under OSCORE around a handler of requests: opened before it, sealed after it.

What was outside decides nothing but where the answer goes. What was inside is a request like
any other, with `who` set; of its options, those that nobody reads are its own to refuse.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from gateway.coap import options
from gateway.coap.oscore import OscoreDoor, Outside, Refused, Unsealed
from gateway.coap.requests import (
    BAD_OPTION,
    NO_RESPONSE,
    OSCORE,
    URI_PATH,
    URI_QUERY,
    Handler,
    Request,
    Response,
    ordered,
    suppressed,
)
from gateway.errors import ANSWERS, BadOptionError, GatewayError
from gateway.metrics import Metrics
from protocol.errors import ProtocolError
from protocol.oscore_parts import Plain, Sealed


class Protecting:
    """`keep_up` brings the registry up to date; `now_ms` is monotonic."""

    def __init__(
        self,
        door: OscoreDoor,
        answer: Handler,
        metrics: Metrics,
        *,
        keep_up: Callable[[], Awaitable[None]],
        now_ms: Callable[[], int],
    ) -> None:
        self._door = door
        self._answer = answer
        self._metrics = metrics
        self._keep_up = keep_up
        self._now_ms = now_ms

    async def answer(self, request: Request) -> Response:
        """Raises nothing that the handler does not."""
        values = request.every(OSCORE)
        if not values:
            return await self._answer(request)
        if len(values) > 1:
            return self._refused(BadOptionError.reason, Sealed(BAD_OPTION, [], b""))
        with suppress(GatewayError):  # the registry stays as it was
            await self._keep_up()
        outside = Outside(request.code, values[0], request.payload)
        found = self._door.open(outside, self._now_ms())
        if isinstance(found, Refused):
            return self._refused(found.reason, found.sealed)
        try:
            return await self._unsealed(request, found)
        except GatewayError as error:  # no number of our own to seal with
            return self._refused(error.reason, Sealed(ANSWERS[error.reason].coap, [], b""))

    async def _unsealed(self, request: Request, unsealed: Unsealed) -> Response:
        def protect(response: Response) -> Response:
            plain = Plain(response.code, ordered(response.options), response.payload)
            return Response(*unsealed.seal(plain))

        try:
            inner = inner_of(request, unsealed)._replace(protect=protect)
        except (ProtocolError, GatewayError) as error:
            self._metrics.outcomes.labels("coap", error.reason).inc()
            return protect(Response(ANSWERS[error.reason].coap))
        response = await self._answer(inner)
        sealed = protect(response)
        no_response = inner.number(NO_RESPONSE)
        if suppressed(no_response, response.code):
            return sealed.with_options((NO_RESPONSE, b"\x02"))
        return sealed

    def _refused(self, reason: str, sealed: Sealed) -> Response:
        self._metrics.outcomes.labels("coap", reason).inc()
        return Response(*sealed)


def inner_of(request: Request, unsealed: Unsealed) -> Request:
    """The request that was inside. MalformedError; BadOptionError for one we do not know."""
    plain = unsealed.inner([option for option in request.options if option[0] != OSCORE])
    known = _known(plain.options)
    return request._replace(
        code=plain.code,
        path=tuple(value.decode() for number, value in known if number == URI_PATH),
        queries=tuple(value.decode() for number, value in known if number == URI_QUERY),
        options=known,
        payload=plain.payload,
        who=unsealed.who,
    )


def _known(found: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """What the guard lets through, where it cannot look (RFC 7252 §5.4.1)."""
    kept, previous = [], -1
    for number, value in found:
        if options.fits(number, value, previous):
            kept.append((number, value))
        elif options.is_critical(number):
            raise BadOptionError(f"option {number}")
        previous = number
    return kept
