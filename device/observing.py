"""Observing a resource under OSCORE (RFC 7641, RFC 8613 §8.4): each new state, as it comes.

For devices that are always on: a NAT or a gateway that starts again forgets who observes, so
it is registered again now and then, and at once on a new socket.
"""

from device.oscore import inside, wants_echo
from protocol import coap
from protocol.errors import ProtocolError
from protocol.oscore_parts import OBSERVE, Plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.clock import Clock
    from device.oscore import Protected
    from device.shapes import Board
    from protocol.coap import Message
    from protocol.oscore_parts import Asked

_TOKEN_BYTES = 8
_REGISTER, _CANCEL = b"", b"\x01"
# However long a state is fresh: so long may a gateway have forgotten us without our noticing.
_REGISTER_AGAIN_MS = 15 * 60_000
_SOONEST_MS = 10_000
_RETRY_MS = 30_000  # after no answer, a refusal, or an answer that is none of an observation
_LOOK_MS = 2_000  # how often it is looked whether the socket is another one
_DEFAULT_MAX_AGE_S = 60  # RFC 7252 §5.10.5
_NONE_YET = -2  # before a state that has no number, which is before all that have one


class Observation:
    """`heard(message)` is called with each state that is newer than the one before; be quick.

    It runs in the task that receives: it may note, and wake another.
    """

    def __init__(
        self,
        board: "Board",
        clock: "Clock",
        protected: "Protected",
        path: str,
        heard: "Callable[[Message], None]",
    ) -> None:
        self._board = board
        self._clock = clock
        self._protected = protected
        self._path = path
        self._heard = heard
        self._token = board.random_bytes(_TOKEN_BYTES)
        self._asked: Asked | None = None  # the registration that notifications belong to
        self._newest = _NONE_YET
        self._until_ms = 0

    async def run(self) -> None:
        """Until it is cancelled; then the gateway is told with its next notification."""
        endpoint = self._protected.endpoint
        endpoint.heard[self._token] = self._notified
        try:
            while True:
                if not await self._ask(_REGISTER):
                    await self._board.sleep_ms(_RETRY_MS)
                    continue
                sockets = endpoint.sockets
                while self._clock.uptime_ms() < self._until_ms and sockets == endpoint.sockets:
                    await self._board.sleep_ms(_LOOK_MS)
        finally:
            del endpoint.heard[self._token]

    async def end(self) -> None:
        """Tells the gateway, once `run` is cancelled."""
        await self._ask(_CANCEL)

    async def _ask(self, observe: bytes) -> bool:
        """Whether the answer is the first of an observation."""
        options = coap.options_of(self._path, None, [(OBSERVE, observe)])
        answer = await self._asked_once(options)
        if answer is not None and wants_echo(answer, options):
            answer = await self._asked_once(options)
        return answer is not None and answer.option(OBSERVE) is not None

    async def _asked_once(self, options: list[tuple[int, bytes]]) -> "Message | None":
        try:
            sealed, asked = self._protected.seal(Plain(coap.GET, options, b""))
        except OSError:
            return None
        return await self._protected.endpoint.request(
            sealed.code, sealed.options, sealed.payload, (self._answered, asked), self._token
        )

    def _answered(self, asked: "Asked", message: "Message") -> "Message | None":
        """The answer to a registration; what belongs to one before goes to `_notified`."""
        opened = self._read(asked, message)
        if opened is None:
            return None
        answer, number = opened
        if answer.option(OBSERVE) is not None:
            self._asked, self._newest = asked, _NONE_YET
            self._tell(answer, number)
        return answer

    def _notified(self, message: "Message") -> bool:
        """Whether it is the gateway's, and perhaps older than one that came before (§3.4)."""
        opened = None if self._asked is None else self._read(self._asked, message)
        if opened is None:
            return False
        self._tell(opened[0], opened[1])
        return True

    def _read(self, asked: "Asked", message: "Message") -> "tuple[Message, int] | None":
        try:
            plain, number = self._protected.client.unprotect(
                asked, message.options, message.payload
            )
        except ProtocolError:
            return None
        return inside(message, plain), -1 if number is None else number

    def _tell(self, answer: "Message", number: int) -> None:
        if number <= self._newest:
            return
        self._newest = number
        max_age = answer.option(coap.MAX_AGE)
        fresh_s = _DEFAULT_MAX_AGE_S if max_age is None else int.from_bytes(max_age, "big")
        fresh_ms = min(max(1000 * fresh_s, _SOONEST_MS), _REGISTER_AGAIN_MS)
        if answer.option(OBSERVE) is None:  # a refusal has ended it
            fresh_ms = 0
        self._until_ms = self._clock.uptime_ms() + fresh_ms
        self._heard(answer)
