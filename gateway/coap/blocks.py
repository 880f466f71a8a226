"""Block1 and Block2 (RFC 7959): the option, and one block of a representation.

A block is cut anew from the current state for each request; nothing is remembered. Its ETag says
whether it is of the same state as the block before.
"""

from typing import NamedTuple

from gateway.coap.requests import BLOCK2, GET, SIZE2, Request, Response, uint
from protocol.errors import MalformedError

MAX_EXPONENT = 6  # RFC 7959 §2.2: SZX 7 is reserved over UDP
_MAX_NUMBER = (1 << 20) - 1
_MAX_OPTION_BYTES = 3


class Block(NamedTuple):
    """`number` of blocks of 2**(exponent + 4) bytes; `more` follow (RFC 7959 §2.2)."""

    number: int
    more: bool
    exponent: int

    @property
    def size(self) -> int:
        """1 << (SZX + 4) bytes."""
        return 1 << self.exponent + 4

    @property
    def start(self) -> int:
        return self.number * self.size


def decode(value: bytes) -> Block:
    """The block an option's value names; MalformedError for SZX 7 or more than three bytes."""
    if len(value) > _MAX_OPTION_BYTES:
        raise MalformedError("a block option of more than three bytes")
    number = int.from_bytes(value, "big")
    if number & 7 > MAX_EXPONENT:
        raise MalformedError("SZX 7 is reserved")
    return Block(number >> 4, bool(number & 8), number & 7)


def encode(block: Block) -> bytes:
    return uint(block.number << 4 | block.more << 3 | block.exponent)


def asked(request: Request, number: int) -> Block | None:
    """The Block1 or Block2 of a request."""
    value = request.first(number)
    return None if value is None else decode(value)


def cut(response: Response, request: Request, max_exponent: int = MAX_EXPONENT) -> Response:
    """The block of `response` that `request` asks for, at most 2**(max_exponent + 4) bytes.

    Only what a GET brings is cut: another method cannot be repeated for its second block.
    MalformedError for a block past the end (RFC 7959 §2.4).
    """
    wanted = asked(request, BLOCK2)
    if request.code != GET or response.refused:
        return response
    block = wanted or Block(0, False, MAX_EXPONENT)
    if block.exponent > max_exponent:
        block = Block(block.number << block.exponent - max_exponent, False, max_exponent)
    if wanted is None and len(response.payload) <= block.size:
        return response
    total = len(response.payload)
    if (block.start >= total and block.number) or block.number > _MAX_NUMBER:
        raise MalformedError(f"block {block.number} of {total} bytes")
    end = block.start + block.size
    block = block._replace(more=end < total)
    options = [(BLOCK2, encode(block))]
    if not block.number or request.first(SIZE2) is not None:
        options.append((SIZE2, uint(total)))  # RFC 7959 §4
    return response.with_options(*options)._replace(payload=response.payload[block.start : end])
