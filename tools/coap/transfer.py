"""Bodies of any size: in blocks there and back (RFC 7959), with an Echo brought back (RFC 9175).

Needs only somebody who asks: a socket, or a test.
"""

from collections.abc import Callable, Sequence

from gateway.coap import blocks
from gateway.coap.blocks import MAX_EXPONENT, Block
from gateway.coap.requests import (
    BLOCK1,
    BLOCK2,
    CONTINUE,
    ECHO,
    ETAG,
    GET,
    OBSERVE,
    SIZE1,
    SIZE2,
    UNAUTHORIZED,
    uint,
)
from protocol.coap import Message
from protocol.errors import ProtocolError
from tools.coap.endpoint import NoAnswerError

Ask = Callable[[int, Sequence[tuple[int, bytes]], bytes, bytes], Message]
Progress = Callable[[int, int], None]  # bytes done, of how many; 0 where that is not known
_MAX_BYTES = 64 << 20
_MAX_ATTEMPTS = 5  # at a resource that changes while it is read


class Transfer:
    """`exponent` is of the largest block to send or to ask for, None for what the peer likes."""

    def __init__(self, ask: Ask, exponent: int | None, progress: Progress) -> None:
        self._ask_once = ask
        self._exponent = exponent
        self._progress = progress
        self._echo: bytes | None = None

    def send(self, code: int, options: Sequence[tuple[int, bytes]], payload: bytes) -> Message:
        """The answer to the whole: in blocks, if it does not fit into one."""
        exponent = MAX_EXPONENT if self._exponent is None else self._exponent
        if len(payload) <= 16 << exponent:
            return self.ask(code, options, payload)
        start = 0
        while True:
            size = 16 << exponent
            block = Block(start // size, start + size < len(payload), exponent)
            more = [(BLOCK1, blocks.encode(block))]
            if not start:
                more.append((SIZE1, uint(len(payload))))
            answer = self.ask(code, [*options, *more], payload[start : start + size])
            start += size
            self._progress(min(start, len(payload)), len(payload))
            if not block.more or answer.code != CONTINUE:
                return answer
            exponent = min(exponent, _block(answer, BLOCK1, block).exponent)

    def fetch(
        self,
        options: Sequence[tuple[int, bytes]],
        *,
        once: Sequence[tuple[int, bytes]] = (),
        token: bytes = b"",
    ) -> Message:
        """The answer to a GET, whole. `once` and `token` are of the request for its first block."""
        offered = self._echo
        answer = self.ask(GET, [*options, *once, *self._first()], b"", token)
        block = _block(answer, BLOCK2, Block(0, False, MAX_EXPONENT))
        wanted = MAX_EXPONENT if self._exponent is None else self._exponent
        if self._echo != offered and (once or block.exponent < wanted):
            # nobody knew that we are real: now it can be a large one, or an observation
            answer = self.ask(GET, [*options, *once, *self._first()], b"", token)
        return self.complete(answer, options)

    def complete(self, first: Message, options: Sequence[tuple[int, bytes]]) -> Message:
        """`first`, a first block, with all that follow it; read anew where it changes."""
        observed = [option for option in first.options if option[0] == OBSERVE]
        for _ in range(_MAX_ATTEMPTS):
            whole = self._rest(first, options)
            if whole is not None:
                kept = [option for option in whole.options if option[0] != OBSERVE]
                return whole._replace(options=[*kept, *observed])
            first = self.ask(GET, [*options, *self._first()])
        raise NoAnswerError("it changes faster than it can be read")

    def ask(
        self,
        code: int,
        options: Sequence[tuple[int, bytes]],
        payload: bytes = b"",
        token: bytes = b"",
    ) -> Message:
        """One message there and back, and once more where an Echo is asked for."""
        answer = self._ask_once(code, self._with_echo(options), payload, token)
        echo = answer.option(ECHO)
        if echo is not None:
            self._echo = echo
        if answer.code == UNAUTHORIZED and echo is not None:
            answer = self._ask_once(code, self._with_echo(options), payload, token)
        return answer

    def _with_echo(self, options: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        return [*options] if self._echo is None else [*options, (ECHO, self._echo)]

    def _first(self) -> list[tuple[int, bytes]]:
        if self._exponent is None:
            return []
        return [(BLOCK2, blocks.encode(Block(0, False, self._exponent)))]

    def _rest(self, first: Message, options: Sequence[tuple[int, bytes]]) -> Message | None:
        """None where a block is of another state than the first."""
        body, answer = bytearray(first.payload), first
        block = _block(first, BLOCK2, Block(0, False, MAX_EXPONENT))
        size = first.option(SIZE2)
        total = 0 if size is None else int.from_bytes(size, "big")
        while block.more:
            if len(body) >= _MAX_BYTES or len(body) % block.size:
                raise NoAnswerError(f"blocks that do not fit together, after {len(body)} bytes")
            self._progress(len(body), total)
            wanted = Block(len(body) // block.size, False, block.exponent)
            answer = self.ask(GET, [*options, (BLOCK2, blocks.encode(wanted))])
            block = _block(answer, BLOCK2, wanted)
            if answer.code != first.code or answer.option(ETAG) != first.option(ETAG):
                return None
            if block.start != len(body):
                raise NoAnswerError(f"block {block.number} came for another")
            body += answer.payload
        return first._replace(payload=bytes(body))


def _block(answer: Message, number: int, otherwise: Block) -> Block:
    """The block of an answer. NoAnswerError where it is none."""
    value = answer.option(number)
    try:
        return otherwise if value is None else blocks.decode(value)
    except ProtocolError as error:
        raise NoAnswerError(f"an answer with a broken block option: {error}") from error
