"""One observed representation, and the datagrams that tell of it (RFC 7641 §4.2)."""

from collections.abc import Callable, Hashable

from gateway.coap.requests import MAX_AGE, OBSERVE, Request, Response, ordered, uint
from gateway.errors import GatewayError
from protocol import coap
from protocol.coap import CON, Message

MAX_AGE_S = 7200  # twice as long as any state goes untold: fresh until a notification is overdue
_SEQUENCE_MASK = (1 << 24) - 1  # RFC 7641 §4.4


class View:
    """What `request` brings; `key` is the same for requests that the same bytes answer.

    `shown` is the number of the state in `response`, `reading` that of the one being read.
    """

    def __init__(self, request: Request, key: Hashable, read_ms: int) -> None:
        self.request = request
        self.key = key
        self.read_ms = read_ms
        self.reading = 0
        self.shown = 0
        self.unwatch: Callable[[], None] = lambda: None
        self._response = Response(0)
        self._tail = b""

    def show(self, response: Response) -> None:
        self.shown = self.reading
        self._response = numbered(response, self.shown)
        self._tail = _datagram(self._response, 0, b"")[4:]  # the same for all, so made once

    def notification(self, request: Request, message_id: int) -> bytes:
        """The CON that tells the observer that `request` made; empty where it cannot be sealed."""
        if request.protect is not None:
            try:
                sealed = request.protect(self._response)
            except GatewayError:  # it is as if it had been lost, and ends as that does
                return b""
            return _datagram(sealed, message_id, request.token)
        head = _datagram(Response(self._response.code), message_id, request.token)
        return head + self._tail


def numbered(response: Response, sequence: int) -> Response:
    """With Observe, and fresh until the next is overdue; a refusal has neither (§4.2)."""
    if response.refused:
        return response
    kept = [option for option in response.options if option[0] != MAX_AGE]
    number = uint(sequence & _SEQUENCE_MASK)
    return response._replace(options=[*kept, (OBSERVE, number), (MAX_AGE, uint(MAX_AGE_S))])


def _datagram(response: Response, message_id: int, token: bytes) -> bytes:
    message = Message(
        CON, response.code, message_id, token, ordered(response.options), response.payload
    )
    return coap.encode(message)
