"""A datagram as devices send readings: `POST /r`, recognized by its bytes (RFC 7252 §3)."""

from collections.abc import Callable

from gateway.coap.bulk import Peer
from protocol.coap import POST
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, CONTENT_FORMAT_COSE_SIGN1

_FORMAT_AT = 3
# Uri-Path "r", Content-Format, payload marker: what follows the token of every device's POST.
HEAD, SIGNED_HEAD = HEADS = tuple(
    b"\xb1r\x11" + bytes((content_format,)) + b"\xff"
    for content_format in (CONTENT_FORMAT_COSE_MAC0, CONTENT_FORMAT_COSE_SIGN1)
)


class Posted:
    """A datagram whose options are one of HEADS: `head` is all before them, `envelope` all after.

    `reply`, where there is one, takes the code and tail of the answer, and sees to duplicates.
    """

    __slots__ = (
        "acknowledged",
        "content_format",
        "envelope",
        "head",
        "key",
        "peer",
        "reply",
        "since_ms",
    )

    def __init__(self, data: bytes, end: int, peer: Peer, now_ms: int) -> None:
        self.reply: Callable[[int, bytes], None] | None = None
        # Python's hash of bytes is keyed anew at each start: nobody can make two requests meet.
        self.key = hash((peer.address, data))
        self.head, self.envelope = data[:end], data[end + len(HEAD) :]
        self.content_format = data[end + _FORMAT_AT]
        self.peer, self.since_ms = peer, now_ms
        self.acknowledged = False

    @property
    def kind(self) -> int:
        return self.head[0] >> 4 & 3

    @property
    def message_id(self) -> int:
        return self.head[2] << 8 | self.head[3]


def posted(data: bytes, peer: Peer, now_ms: int) -> Posted | None:
    """What a device posts to /r, None where `data` is anything else."""
    if len(data) < 4 or data[1] != POST or not 0x40 <= data[0] < 0x60:  # version 1, CON or NON
        return None
    token_bytes = data[0] & 15
    end = 4 + token_bytes
    if token_bytes > 8 or not data.startswith(HEADS, end) or len(data) == end + len(HEAD):
        return None
    return Posted(data, end, peer, now_ms)
