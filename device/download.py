"""Download: files from the gateway, block by block (RFC 7959 §2.4), each place asked for anew.

Keeps nothing of a file: the caller says where to go on, also after a power cut. What comes is
not authenticated: the caller holds all of it to a hash that somebody signed.
"""

from protocol import coap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from device.shapes import Board
    from protocol.coap import Message

    Exchange = Callable[[int, list[tuple[int, bytes]]], Awaitable[Message | None]]

_BLOCK2, _ECHO = 23, 252
_MAX_EXPONENT = 6  # 1024 bytes
_UNAUTHORIZED, _NOT_FOUND = 0x81, 0x84
_TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE = 0x9D, 0xA3
_ATTEMPTS = 3  # each is an exchange with all its retransmissions
_PAUSE_MS = 5000


class NoAnswerError(Exception):
    """The gateway cannot be reached, or has no time: later perhaps. Has no words."""


class RefusedError(Exception):
    """What was asked for will not come: why."""


class Download:
    """`exchange` sends a request and returns its response, or None."""

    def __init__(self, board: "Board", exchange: "Exchange") -> None:
        self._board = board
        self._exchange = exchange
        self._exponent = _MAX_EXPONENT
        self._echo = b""

    async def block(self, path: list[str], at: int) -> tuple[bytes, bool]:
        """The bytes of `path` from `at` on, as many as fit a block, and whether more follow.

        `at` is a multiple of 1024, or was reached by what came before.
        """
        refused = 0
        while True:
            answer = await self._exchange(coap.GET, self._options(path, at))
            if answer is not None and answer.code == coap.CONTENT:
                taken = self._take(answer, at)
                if taken is not None:
                    return taken
                continue
            refused += 1
            if answer is not None and answer.code == _UNAUTHORIZED and self._remember(answer):
                continue
            if answer is not None and answer.code not in (
                _UNAUTHORIZED,
                _TOO_MANY_REQUESTS,
                _SERVICE_UNAVAILABLE,
            ):
                raise RefusedError(_why(answer.code))
            if refused >= _ATTEMPTS:
                raise NoAnswerError()
            await self._board.sleep_ms(_PAUSE_MS)

    def _options(self, path: list[str], at: int) -> list[tuple[int, bytes]]:
        options = [(coap.URI_PATH, segment.encode()) for segment in path]
        number = at >> self._exponent + 4
        options.append((_BLOCK2, (number << 4 | self._exponent).to_bytes(3, "big")))
        if self._echo:
            options.append((_ECHO, self._echo))
        return options

    def _take(self, answer: "Message", at: int) -> tuple[bytes, bool] | None:
        """None where larger blocks are to be had for the Echo that came with a small one."""
        value = answer.option(_BLOCK2)
        if value is None:
            if at:
                raise RefusedError("a gateway without Block2")
            return answer.payload, False
        block = int.from_bytes(value, "big")
        exponent, more = block & 7, bool(block & 8)
        if (block >> 4) << exponent + 4 != at:
            raise RefusedError("a block of another place")
        if exponent < self._exponent:
            if self._remember(answer):
                return None
            self._exponent = exponent
        return answer.payload, more

    def _remember(self, answer: "Message") -> bool:
        """Whether there is an Echo that we have not sent yet (RFC 9175 §2.3)."""
        echo = answer.option(_ECHO)
        if echo is None or echo == self._echo:
            return False
        self._echo = echo
        return True


def _why(code: int) -> str:
    return "no such release" if code == _NOT_FOUND else "answered " + coap.code_text(code)
