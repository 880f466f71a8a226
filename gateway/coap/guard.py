"""Guard: every datagram's form and options, before anything else looks at them (RFC 7252 §3-§5).

Pure. What passes is a request that is whole and has no option we would not understand, or an
empty ACK or RST. Nobody is ever answered for an ACK, a RST or a response, so that two servers
that are pointed at each other fall silent.
"""

from typing import NamedTuple

from gateway.coap import options
from protocol import coap
from protocol.coap import ACK, CON, EMPTY, NON, RST, Message
from protocol.errors import MalformedError, TooLargeError

_BAD_OPTION, _TOO_LARGE, _PROXYING_NOT_SUPPORTED = 0x82, 0x8D, 0xA5  # 4.02, 4.13, 5.05


class Passed(NamedTuple):
    """A request, `data`, without the elective options that we do not know."""

    message: Message
    data: bytes


class Settled(NamedTuple):
    """An empty ACK or RST: the end of something we sent."""

    message_id: int
    is_reset: bool


class Answer(NamedTuple):
    """What to answer a request that is refused here."""

    request: Message
    code: int
    payload: bytes


class Reset(NamedTuple):
    """A confirmable message that means nothing, or a ping: RST it (§4.2, §4.3)."""

    message_id: int


class Drop(NamedTuple):
    """Nothing is answered; `why` is for the counters."""

    why: str


Ruling = Passed | Settled | Answer | Reset | Drop


def judge(data: bytes) -> Ruling:
    if len(data) < 4 or data[0] >> 6 != 1:
        return Drop("version")  # §3: silently ignored
    kind, message_id = data[0] >> 4 & 3, data[2] << 8 | data[3]
    try:
        message = coap.decode(data)
    except MalformedError:
        return Reset(message_id) if kind == CON else Drop("malformed")
    if message.code == EMPTY:
        return _empty(message)
    if message.code >> 5:
        return Drop("response")  # we ask nobody anything
    if kind in (ACK, RST):
        return Drop("malformed")
    return _request(message, data)


def _empty(message: Message) -> Ruling:
    if message.type == CON:
        return Reset(message.message_id)  # a ping (§4.3)
    if message.type == NON:
        return Drop("malformed")
    return Settled(message.message_id, message.type == RST)


def _request(message: Message, data: bytes) -> Ruling:
    kept: list[tuple[int, bytes]] = []
    previous = -1
    for number, value in message.options:
        if options.fits(number, value, previous):
            kept.append((number, value))
        elif options.is_critical(number):
            if message.type == NON:
                return Drop("critical-option")  # §5.4.1: rejected, and §4.3: silently
            return Answer(message, _BAD_OPTION, b"option %d" % number)
        previous = number
    if any(number in options.PROXYING for number, _ in kept):
        return Answer(message, _PROXYING_NOT_SUPPORTED, b"")  # §5.10.2
    if len(kept) == len(message.options):
        return Passed(message, data)
    message = message._replace(options=kept)
    try:
        return Passed(message, coap.encode(message))
    except TooLargeError:
        return Answer(message, _TOO_LARGE, b"")
