"""aiocoap's messages into requests, and responses into its messages. Nothing is decided here.

Blocks, observations and errors are not left to aiocoap: it is told each answer is the last.
"""

from functools import lru_cache
from typing import Any

import aiocoap
from aiocoap.optiontypes import OpaqueOption
from aiocoap.pipe import Pipe

from gateway.coap.requests import (
    NO_RESPONSE,
    OSCORE,
    Handler,
    Request,
    Response,
    ordered,
    suppressed,
)
from gateway.config import is_loopback

_is_local = lru_cache(maxsize=1024)(is_loopback)


class Site:
    """What aiocoap's Context asks of a site: `render_to_pipe`."""

    def __init__(self, answer: Handler) -> None:
        self._answer = answer

    async def render_to_pipe(self, pipe: Pipe) -> None:
        request = request_of(pipe.request)
        response = await self._answer(request)
        pipe.add_response(message_of(response, request), is_last=True)


def request_of(message: aiocoap.Message) -> Request:
    """`size_bytes` is that of the message without the heads of its options: never more."""
    options = [(int(option.number), option.encode()) for option in message.opt.option_list()]
    length = 4 + len(message.token) + len(message.payload)
    return Request(
        code=int(message.code),
        path=message.opt.uri_path,
        queries=message.opt.uri_query,
        options=options,
        payload=message.payload,
        peer=peer_of(message.remote),
        token=message.token,
        size_bytes=length + sum(1 + len(value) for _, value in options),
        local=_is_local(message.remote.sockaddr[0]),
    )


def peer_of(remote: Any) -> tuple[Any, bytes | None]:
    """The other end, and which of our addresses it talks to: an answer leaves from there."""
    return remote.sockaddr, remote.pktinfo


def message_of(response: Response, request: Request) -> aiocoap.Message:
    """The message. With No-Response, where it was asked for (RFC 7967): aiocoap keeps silent."""
    message = aiocoap.Message(code=aiocoap.Code(response.code), payload=response.payload)
    for number, value in ordered(response.options):
        message.opt.add_option(OpaqueOption(number, value))
    protected = request.first(OSCORE) is not None  # then it is the inner option that counts
    no_response = None if protected else request.number(NO_RESPONSE)
    if suppressed(no_response, response.code):
        message.opt.no_response = no_response
    return message
