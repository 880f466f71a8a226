"""A representation in blocks (Block2, RFC 7959 §2.4), handed on piece by piece, never held.

Loaded where something long is read. Goes on after a lost network, and after a power cut.
"""

from device.sending import exponent_of
from protocol import coap
from protocol.limits import MAX_DATAGRAM_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.shapes import Asker
    from protocol.coap import Message

_ETAG, _BLOCK2, _ECHO = 4, 23, 252
_MORE, _CONTINUE = 8, 0x5F
NO_ANSWER = 0
CHANGED_MEANWHILE, TOO_LARGE = 0x8C, 0x8D  # 4.12, 4.13, as if the peer had said so


class Fetch:
    """`at` bytes of the state `etag` are written. Both, kept on flash, go on in a later start."""

    def __init__(
        self,
        asker: "Asker",
        path: str,
        write: "Callable[[int, bytes], None]",
        at: int = 0,
        etag: bytes = b"",
        most_bytes: int = 1 << 20,
    ) -> None:
        """`write(at, data)` takes the pieces in order; what it raises, `run` raises.

        Going on, it is given again what is there of a block, or the last whole one.
        """
        self.at = max(at - 1, 0)
        self.etag = etag
        self._asker = asker
        self._path = path
        self._write = write
        self._most_bytes = most_bytes
        self._exponent = exponent_of(asker.block_bytes)
        self._echo: list[tuple[int, bytes]] = []

    async def run(self) -> int:
        """2.05: all is written. NO_ANSWER: call it again. Other codes are the peer's, or these:

        CHANGED_MEANWHILE: the pieces are not of one state; `run` begins anew. TOO_LARGE: it has
        over `most_bytes`.
        """
        self._asker.answer_bytes = MAX_DATAGRAM_BYTES
        code = _CONTINUE
        while code == _CONTINUE:
            shift = self._exponent + 4
            self.at = self.at >> shift << shift
            block = (_BLOCK2, coap.uint(self.at >> shift << 4 | self._exponent))
            answer = await self._asker.exchange(
                coap.GET, self._path, b"", None, self._echo + [block]
            )
            code = NO_ANSWER if answer is None else self._take(answer)
        return code

    def _take(self, answer: "Message") -> int:
        echo = answer.option(_ECHO)
        if echo is not None and not self._echo:  # now it knows that we are real (RFC 9175 §2.4)
            self._echo = [(_ECHO, echo)]
            return _CONTINUE
        if answer.code != coap.CONTENT:
            return answer.code
        payload, etag = answer.payload, answer.option(_ETAG) or b""
        block = int.from_bytes(answer.option(_BLOCK2) or b"\x06", "big")  # without: it is whole
        size = 16 << (block & 7)
        if (block >> 4) * size != self.at or (block & _MORE and len(payload) != size):
            return NO_ANSWER
        if self.at and etag != self.etag:
            self.at = 0
            return CHANGED_MEANWHILE
        if self.at + len(payload) > self._most_bytes:
            return TOO_LARGE
        self.etag = etag
        self._write(self.at, payload)
        self.at += len(payload)
        self._exponent = min(self._exponent, block & 7)
        return _CONTINUE if block & _MORE else coap.CONTENT
