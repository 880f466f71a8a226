"""A payload in blocks (Block1, RFC 7959 §2.5), each in an exchange of its own, in order.

Loaded where a payload is over `block_bytes`. Forgets all where it fails: the whole is sent anew.
"""

from protocol import coap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.shapes import Asker
    from protocol.coap import Message

_BLOCK1, _SIZE1 = 27, 60
_MORE = 8
_CONTINUE, _INCOMPLETE = 0x5F, 0x88  # 2.31, 4.08
_ATTEMPTS = 2


async def send(
    asker: "Asker",
    code: int,
    path: str,
    payload: bytes,
    content_format: int | None,
    more: "Iterable[tuple[int, bytes]]",
) -> "Message | None":
    """The answer to the whole; None where a block has none. Once more where the peer lost some."""
    answer = None
    for _ in range(_ATTEMPTS):
        answer = await _sent(asker, code, path, payload, (content_format, list(more)))
        if answer is None or answer.code != _INCOMPLETE:
            break
    return answer


async def _sent(
    asker: "Asker",
    code: int,
    path: str,
    payload: bytes,
    rest: "tuple[int | None, list[tuple[int, bytes]]]",
) -> "Message | None":
    exponent, at = exponent_of(asker.block_bytes), 0
    while True:
        size = 16 << exponent
        follows = _MORE if at + size < len(payload) else 0
        options = rest[1] + [(_BLOCK1, coap.uint(at // size << 4 | follows | exponent))]
        if not at:
            options.append((_SIZE1, coap.uint(len(payload))))
        answer = await asker.exchange(code, path, payload[at : at + size], rest[0], options)
        if answer is None or not follows or answer.code != _CONTINUE:
            return answer
        at += size
        exponent = min(exponent, _wished(answer, exponent))


def exponent_of(block_bytes: int) -> int:
    """SZX of the largest block of at most so many bytes; 16 bytes are the least (§2.2)."""
    exponent = 0
    while exponent < 6 and 32 << exponent <= block_bytes:
        exponent += 1
    return exponent


def _wished(answer: "Message", exponent: int) -> int:
    """The peer may like the next blocks smaller (§2.3)."""
    value = answer.option(_BLOCK1)
    return value[-1] & 7 if value else exponent
