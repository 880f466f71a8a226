"""OSCORE for whoever asks: requests protected, answers opened (RFC 8613 §8.1, §8.4).

Holds keys, no numbers: the caller gives each request a number that no other request had,
also after a power cut (§7.2.1). A board loads this, a gateway `oscore_server`.
"""

from protocol import coap
from protocol import oscore_parts as parts
from protocol.errors import BadMacError, MalformedError
from protocol.oscore_parts import (
    FETCH,
    MAX_IV_BYTES,
    OBSERVE,
    OSCORE,
    OUTER,
    Asked,
    Plain,
    Sealed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.oscore_keys import Keys
    from protocol.oscore_parts import Aead

_REGISTER = b""  # Observe 0 (RFC 7641 §2)
_HAS_KID, _IV_BYTES, _OTHERS = 0x08, 0x07, 0xF0  # flag bits, §6.1


class Client:
    """`aead(key)` is the cipher under that key."""

    def __init__(self, keys: "Keys", aead: "Callable[[bytes], Aead]") -> None:
        self._kid = keys.sender_id
        self._peer = keys.recipient_id
        self._seal = aead(keys.sender).seal
        self._open = aead(keys.recipient).open
        self._ours = parts.nonce_base(keys.common_iv, keys.sender_id)
        self._theirs = parts.nonce_base(keys.common_iv, keys.recipient_id)

    def protect(self, number: int, plain: Plain) -> tuple[Sealed, Asked]:
        """The request to send, and what `unprotect` needs. TooLargeError past the last number."""
        iv = parts.partial_iv(number)
        code, observes = coap.POST, False  # §4.2
        inner, outer = [], []
        for option in plain.options:
            if option[0] not in OUTER:
                inner.append(option)
            if option[0] == OBSERVE:
                code, observes = FETCH, option[1] == _REGISTER
            if option[0] == OBSERVE or option[0] in OUTER:
                outer.append(option)
        coap.insert(outer, OSCORE, bytes((_HAS_KID | len(iv),)) + iv + self._kid)
        ciphertext = self._seal(
            parts.nonce(self._ours, number),
            parts.aad(self._kid, iv),
            bytes((plain.code,)) + coap.encode_body(inner, plain.payload),
        )
        return Sealed(code, outer, ciphertext), Asked(code, number, self._kid, iv, observes)

    def unprotect(
        self, asked: Asked, options: list[tuple[int, bytes]], payload: bytes
    ) -> tuple[Plain, int | None]:
        """The answer to `asked`, and its own number, if it has one.

        Of notifications take only those with a larger number than the last (§7.4.1).
        Malformed- or BadMacError: it is to be passed over, as if lost.
        """
        iv = self._iv_of(options)
        number = None if iv is None else parts.number_of(iv)
        if number is None:
            nonce = parts.nonce(self._ours, asked.number)
        else:
            nonce = parts.nonce(self._theirs, number)
        plain = _read(self._open(nonce, parts.aad(asked.kid, asked.partial_iv), payload))
        for notifies, _ in options:
            if notifies == OBSERVE:
                if not asked.observes:
                    raise MalformedError("a notification that nobody asked for")
                # §4.1.3.5.2: its place in the order is its number's
                coap.insert(plain.options, OBSERVE, (iv or b"")[-3:])
        return plain, number

    def _iv_of(self, options: list[tuple[int, bytes]]) -> bytes | None:
        """The Partial IV in the OSCORE option of an answer, which is of our peer (§6.1)."""
        values = [value for number, value in options if number == OSCORE]
        if len(values) != 1:
            raise BadMacError("an answer that is not protected")
        value = values[0]
        if not value:
            return None
        flags, size = value[0], value[0] & _IV_BYTES
        kid = value[1 + size :]
        whole = flags and size <= MAX_IV_BYTES and len(value) > size and not flags & _OTHERS
        if not whole or kid != (self._peer if flags & _HAS_KID else b""):
            raise MalformedError("an answer of somebody else")
        return value[1 : 1 + size] if size else None


def _read(opened: bytes) -> Plain:
    """The plaintext of §5.3. What Observe says in there, nobody asks."""
    if not opened:
        raise MalformedError("a protected message without a code")
    found, payload = coap.decode_body(opened, 1)
    kept = []
    for option in found:
        if option[0] == OSCORE:
            raise MalformedError("OSCORE inside OSCORE")
        if option[0] != OBSERVE:
            kept.append(option)
    return Plain(opened[0], kept, payload)
