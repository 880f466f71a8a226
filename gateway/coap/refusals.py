"""A refusal as an answer: its code from the one table, and words for whom we know.

Words are RFC 9290 problem details. Whoever may be anyone hears a code and not a word more:
it would be sent to whose address was forged.
"""

from gateway.coap.requests import CONTENT_FORMAT, MAX_AGE, SIZE1, Request, Response, uint
from gateway.errors import ANSWERS, ContentTooLargeError, GatewayError
from protocol import cbor
from protocol.errors import ProtocolError, TooLargeError

RETRY_AFTER_S = 5  # Max-Age of a 5.03 that does not say for how long: a full queue drains in less
PROBLEM_DETAILS = 257  # RFC 9290 §7.3
_TITLE, _DETAIL = -1, -2  # RFC 9290 §2
_MAX_DETAIL_CHARS = 160


def refusal(error: ProtocolError | GatewayError, *, max_body_bytes: int = 0) -> Response:
    """The code, Max-Age where waiting helps, Size1 where it was too large; no words."""
    answer = ANSWERS[error.reason]
    options = []
    if answer.retry:
        hint_s = error.retry_after_s if isinstance(error, GatewayError) else None
        options.append((MAX_AGE, uint(hint_s or RETRY_AFTER_S)))
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
