"""OscoreDoor: requests that devices protected are opened, answers to them sealed (RFC 8613 §8).

Pure over its contexts: bytes and time in, decisions out. Nothing is remembered of a request
before its tag is right, and what is refused before is answered in four bytes.

After a start no replay window is known. Then a request's number proves nothing, and its nonce
may have sealed an answer before. So the first request of each device is answered with a
challenge, under a number of our own, and its window opens at the request that brings the Echo
back (appendix B.1.2). No window is stored, and none is believed that was: a number that is not
on stable storage before the answer leaves a hole behind a power cut.
"""

from collections.abc import Hashable
from typing import NamedTuple, Protocol

from gateway.coap.contexts import Context, Contexts
from gateway.coap.own_numbers import OwnNumbers
from gateway.errors import (
    ANSWERS,
    BadOptionError,
    GatewayError,
    ReplayedError,
    RevokedError,
    StaleError,
    UndecryptableError,
    UnknownDeviceError,
)
from protocol import oscore, oscore_parts
from protocol.errors import BadMacError, ProtocolError
from protocol.oscore_parts import OBSERVE, Asked, Plain, Sealed
from protocol.oscore_server import Window

_ECHO = 252
_UNAUTHORIZED = ANSWERS[StaleError.reason].coap
_MAX_CHALLENGES = 1000  # a second: each takes a number of ours, whoever makes us send it


class Echoes(Protocol):
    """Values that only whoever reads them can bring back, after this start and soon.

    They are for a device, not for its address, which a NAT may change at any time.
    """

    def value(self, whose: Hashable, now_ms: int, /) -> bytes: ...

    def is_fresh(self, whose: Hashable, value: bytes, now_ms: int, /) -> bool: ...


class Outside(NamedTuple):
    """A request as it arrived: its outer code, and the values of its OSCORE option and payload."""

    code: int
    option: bytes
    payload: bytes


class Refused(NamedTuple):
    """What to send instead of an answer; `reason` is that of gateway.errors."""

    reason: str
    sealed: Sealed


class Unsealed:
    """A request that its device sealed, and that nobody has sent before."""

    __slots__ = ("_answered", "_asked", "_context", "_door", "plaintext")

    def __init__(
        self, door: "OscoreDoor", context: Context, asked: Asked, plaintext: bytes
    ) -> None:
        self._door = door
        self._context = context
        self._asked = asked
        self._answered = False
        self.plaintext = plaintext

    @property
    def who(self) -> str:
        return self._context.device.name

    def inner(self, outer: list[tuple[int, bytes]]) -> Plain:
        """The request to answer, with the outer options that count; MalformedError."""
        plain = oscore.decode_plaintext(self.plaintext)
        server, asked = self._context.server, self._asked
        return server.combined(plain, asked.code, outer, asked.number)[0]

    def seal(self, plain: Plain) -> Sealed:
        """An answer, or a notification, of which there may be many.

        Unknown- or RevokedError where the device has gone since; BusyError, see OwnNumbers.
        """
        if self._door.contexts.find(self._asked.kid) is not self._context:
            raise UnknownDeviceError("its secret is another one now")
        observes = any(number == OBSERVE for number, _ in plain.options)
        own_number = self._own_number(needed=observes)
        return self._context.server.protect(self._asked, plain, own_number)

    def kept(self, plaintext: bytes) -> bytes:
        """The body of the 2.04 whose plaintext this is: all of the datagram after the token."""
        own_number = self._own_number(needed=False)
        ciphertext = self._context.server.seal(self._asked, plaintext, own_number)
        if own_number is None:
            return _PLAIN_HEAD + ciphertext
        iv = oscore_parts.partial_iv(own_number)
        option = bytes((oscore_parts.OSCORE << 4 | len(iv) + 1, len(iv))) + iv
        return option + b"\xff" + ciphertext

    def _own_number(self, *, needed: bool) -> int | None:
        """The request's nonce seals one answer, its first; all others need a number (§8.3)."""
        needed = needed or self._answered
        own_number = self._door.numbers.take() if needed else None
        self._answered = True
        return own_number


_PLAIN_HEAD = bytes((oscore_parts.OSCORE << 4,)) + b"\xff"  # an empty OSCORE option, the marker


class OscoreDoor:
    def __init__(self, contexts: Contexts, numbers: OwnNumbers, echoes: Echoes) -> None:
        self.contexts = contexts
        self.numbers = numbers
        self._echoes = echoes
        self._second = self._challenges = 0

    def open(self, outside: Outside, now_ms: int) -> Unsealed | Refused:
        """What to answer, or what to send at once. `now_ms` is monotonic."""
        try:
            return self._open(outside, now_ms)
        except RevokedError as error:  # its context is gone, so as for a stranger (§8.2 step 2)
            return Refused(error.reason, Sealed(_UNAUTHORIZED, [], b""))
        except GatewayError as error:
            return Refused(error.reason, Sealed(ANSWERS[error.reason].coap, [], b""))

    def open_exact(self, outside: Outside, heads: tuple[bytes, ...]) -> Unsealed | None:
        """A request whose plaintext starts with one of `heads`; None for others, as if none came.

        For what comes most: whoever gets None goes on with `open`, which has the last word.
        """
        try:
            iv, kid, number = _read(outside.option)
            context = self.contexts.find(kid)
            window = context.window
            if window is None or not window.is_fresh(number):
                return None
            plaintext = context.server.open(number, iv, outside.payload)
        except (ProtocolError, GatewayError):
            return None
        if not plaintext.startswith(heads):
            return None
        window.take(number)
        return Unsealed(self, context, Asked(outside.code, number, kid, iv, False), plaintext)

    def _open(self, outside: Outside, now_ms: int) -> Unsealed | Refused:
        iv, kid, number = _read(outside.option)
        context = self.contexts.find(kid)
        window = context.window
        if window is not None and not window.is_fresh(number):
            raise ReplayedError(f"number {number} was used")
        try:
            plaintext = context.server.open(number, iv, outside.payload)
        except BadMacError as error:
            raise UndecryptableError("the tag does not fit") from error
        asked = Asked(outside.code, number, kid, iv, False)
        if window is not None:
            window.take(number)
        elif self._is_fresh(plaintext, kid, now_ms):
            context.window = Window(number)
        else:
            return self._challenge(context, asked, now_ms)
        return Unsealed(self, context, asked, plaintext)

    def _is_fresh(self, plaintext: bytes, kid: bytes, now_ms: int) -> bool:
        try:
            options = oscore.decode_plaintext(plaintext).options
        except ProtocolError:
            return False
        echoes = [value for number, value in options if number == _ECHO]
        return len(echoes) == 1 and self._echoes.is_fresh(kid, echoes[0], now_ms)

    def _challenge(self, context: Context, asked: Asked, now_ms: int) -> Refused:
        """4.01 with an Echo; whoever can read it seals its next request with it."""
        if now_ms // 1000 != self._second:
            self._second, self._challenges = now_ms // 1000, 0
        self._challenges += 1
        if self._challenges > _MAX_CHALLENGES:
            raise StaleError("too many challenges in one second")
        echo = Plain(_UNAUTHORIZED, [(_ECHO, self._echoes.value(asked.kid, now_ms))], b"")
        sealed = context.server.protect(asked, echo, self.numbers.take())
        return Refused(StaleError.reason, sealed)


def _read(option: bytes) -> tuple[bytes, bytes, int]:
    """Partial IV, kid and number; BadOptionError (§8.2 step 2), or for groups and contexts."""
    try:
        header = oscore.decode_option(option)
        if header.partial_iv is None or header.kid is None:
            raise BadOptionError("a request has a number and says whose it is")
        number = oscore_parts.number_of(header.partial_iv)
    except ProtocolError as error:
        raise BadOptionError(str(error)) from error
    if header.kid_context is not None:
        raise UnknownDeviceError("no device has an ID context")
    return header.partial_iv, header.kid, number
