"""A refusal as an answer: its code from the one table, and words for whom we know.

Words are RFC 9290 problem details. Whoever may be anyone hears a code and not a word more:
it would be sent to whose address was forged.

How long to wait is spread: whoever is refused together would come back together.
"""

from gateway.coap.requests import CONTENT_FORMAT, MAX_AGE, SIZE1, Request, Response, uint
from gateway.coap.retrying import RETRY_S, retry_s
from gateway.errors import ANSWERS, ContentTooLargeError, GatewayError
from protocol import cbor
from protocol.errors import ProtocolError, TooLargeError

PROBLEM_DETAILS = 257  # RFC 9290 §7.3
_TITLE, _DETAIL = -1, -2  # RFC 9290 §2
_MAX_DETAIL_CHARS = 160


def refusal(
    error: ProtocolError | GatewayError, request: Request, *, max_body_bytes: int = 0
) -> Response:
    """The code, Max-Age where waiting helps, Size1 where it was too large; no words."""
    answer = ANSWERS[error.reason]
    options = []
    if answer.retry:
        hint_s = error.retry_after_s if isinstance(error, GatewayError) else None
        options.append((MAX_AGE, uint(retry_s(hint_s or RETRY_S, _chance(request)))))
    if isinstance(error, (TooLargeError, ContentTooLargeError)):
        options.append((SIZE1, uint(error.max_bytes or max_body_bytes)))  # RFC 7252 §5.9.2.9
    return Response(answer.coap, options)


def explained(response: Response, reason: str, detail: str, request: Request) -> Response:
    """The refusal with its reason and detail, for whoever is known or on this machine."""
    if request.who is None and not request.local:
        return response
    words = {_TITLE: reason, _DETAIL: detail[:_MAX_DETAIL_CHARS]}
    told = response.with_options((CONTENT_FORMAT, uint(PROBLEM_DETAILS)))
    return told._replace(payload=cbor.encode(words))


def _chance(request: Request) -> float:
    """From 0 to 1, another for each request: Python's hash is keyed anew at each start."""
    return (hash((repr(request.peer), request.token)) & 0xFFFF) / 0x10000
