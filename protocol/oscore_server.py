"""OSCORE for whoever is asked: requests opened, answers sealed (RFC 8613 §8.2, §8.3).

Whether a number was seen before is the `Window`'s to say; what numbers of our own are free,
the caller's.
"""

from protocol import coap, oscore, oscore_parts
from protocol.errors import MalformedError
from protocol.oscore import Header
from protocol.oscore_keys import Keys
from protocol.oscore_parts import FETCH, OBSERVE, Asked, Plain, Sealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.oscore_parts import Aead

_REGISTER = b""  # Observe 0 (RFC 7641 §2)
_WINDOW = 32  # §7.4, the default


class Window:
    """Which numbers of a peer are still to come: the last 32, and all after them (§7.4)."""

    def __init__(self, newest: int = -1) -> None:
        """Nothing up to `newest` is taken any more."""
        self._newest = newest
        self._seen = (1 << _WINDOW) - 1  # bit n: newest - n was seen

    def is_fresh(self, number: int) -> bool:
        behind = self._newest - number
        return behind < 0 or (behind < _WINDOW and not self._seen >> behind & 1)

    def take(self, number: int) -> None:
        """`number` was fresh, and its message is authentic: not again."""
        ahead = number - self._newest
        if ahead > 0:
            self._newest = number
            kept = self._seen << ahead if ahead < _WINDOW else 0
            self._seen = (kept | 1) & (1 << _WINDOW) - 1
        else:
            self._seen |= 1 << -ahead


class Server:
    """`aead(key)` is the cipher under that key."""

    def __init__(self, keys: Keys, aead: "Callable[[bytes], Aead]") -> None:
        self._peer = keys.recipient_id
        self._seal = aead(keys.sender).seal
        self._open = aead(keys.recipient).open
        self._ours = oscore_parts.nonce_base(keys.common_iv, keys.sender_id)
        self._theirs = oscore_parts.nonce_base(keys.common_iv, keys.recipient_id)

    def open(self, number: int, iv: bytes, ciphertext: bytes) -> bytes:
        """The plaintext of the request with this number, which `iv` spells. BadMacError."""
        return self._open(
            oscore_parts.nonce(self._theirs, number), oscore_parts.aad(self._peer, iv), ciphertext
        )

    def seal(self, asked: Asked, plaintext: bytes, own_number: int | None = None) -> bytes:
        """The ciphertext of an answer: under the request's nonce, or a number of our own.

        The request's nonce is good for one answer, and only to a request that was fresh.
        """
        if own_number is None:
            nonce = oscore_parts.nonce(self._theirs, asked.number)
        else:
            nonce = oscore_parts.nonce(self._ours, own_number)
        return self._seal(nonce, oscore_parts.aad(asked.kid, asked.partial_iv), plaintext)

    def unprotect(
        self, header: Header, code: int, outer: list[tuple[int, bytes]], ciphertext: bytes
    ) -> tuple[Plain, Asked]:
        """The request, whose window nobody has asked yet. Malformed- or BadMacError."""
        if header.partial_iv is None:
            raise MalformedError("a request without a Partial IV")
        number = oscore_parts.number_of(header.partial_iv)
        plain = oscore.decode_plaintext(self.open(number, header.partial_iv, ciphertext))
        return self.combined(plain, code, outer, number)

    def combined(
        self, plain: Plain, code: int, outer: list[tuple[int, bytes]], number: int
    ) -> tuple[Plain, Asked]:
        """What was inside, with the outer options that count (§4.1, §8.2 step 7)."""
        inner = plain.options
        if (OBSERVE, _REGISTER) not in outer:
            # whoever took it away on the way would not pass notifications on (§4.1.3.5.1)
            inner = [option for option in inner if option != (OBSERVE, _REGISTER)]
        observes = (OBSERVE, _REGISTER) in inner
        options = oscore.merged(inner, oscore.split(outer)[1])
        asked = Asked(code, number, self._peer, oscore_parts.partial_iv(number), observes)
        return Plain(plain.code, options, plain.payload), asked

    def protect(self, asked: Asked, plain: Plain, own_number: int | None = None) -> Sealed:
        """The answer to send; a notification needs a number of our own (§8.3.1)."""
        observe = [option for option in plain.options if option[0] == OBSERVE]
        inner = [(n, b"" if n == OBSERVE else value) for n, value in plain.options]
        plaintext = oscore.encode_plaintext(Plain(plain.code, inner, plain.payload))
        iv = None if own_number is None else oscore_parts.partial_iv(own_number)
        code = coap.CONTENT if asked.code == FETCH else coap.CHANGED  # §4.2
        options = oscore.outside(observe, Header(iv, None, None))
        return Sealed(code, options, self.seal(asked, plaintext, own_number))
