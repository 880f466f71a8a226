"""OSCORE for whoever asks: requests protected, answers opened (RFC 8613 §8.1, §8.4).

Holds keys, no numbers: the caller gives each request a number that no other request had,
also after a power cut (§7.2.1). A board loads this, a gateway `oscore_server`.
"""

from protocol import coap, oscore
from protocol.errors import BadMacError, MalformedError
from protocol.oscore import FETCH, OBSERVE, OSCORE, Asked, Header, Keys, Plain, Sealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.oscore import Aead

_REGISTER = b""  # Observe 0 (RFC 7641 §2)


class Client:
    """`aead(key)` is the cipher under that key."""

    def __init__(self, keys: Keys, aead: "Callable[[bytes], Aead]") -> None:
        self._kid = keys.sender_id
        self._peer = keys.recipient_id
        self._seal = aead(keys.sender).seal
        self._open = aead(keys.recipient).open
        self._ours = oscore.nonce_base(keys.common_iv, keys.sender_id)
        self._theirs = oscore.nonce_base(keys.common_iv, keys.recipient_id)

    def protect(self, number: int, plain: Plain) -> tuple[Sealed, Asked]:
        """The request to send, and what `unprotect` needs. TooLargeError past the last number."""
        iv = oscore.partial_iv(number)
        inner, outer = oscore.split(plain.options)
        observe = [option for option in inner if option[0] == OBSERVE]
        code = FETCH if observe else coap.POST  # §4.2
        ciphertext = self._seal(
            oscore.nonce(self._ours, number),
            oscore.aad(self._kid, iv),
            oscore.encode_plaintext(Plain(plain.code, inner, plain.payload)),
        )
        options = oscore.outside(oscore.merged(outer, observe), Header(iv, self._kid, None))
        asked = Asked(code, number, self._kid, iv, observe == [(OBSERVE, _REGISTER)])
        return Sealed(code, options, ciphertext), asked

    def unprotect(
        self, asked: Asked, options: list[tuple[int, bytes]], payload: bytes
    ) -> tuple[Plain, int | None]:
        """The answer to `asked`, and its own number, if it has one.

        Of notifications take only those with a larger number than the last (§7.4.1).
        Malformed-, Unsupported- or BadMacError: it is to be passed over, as if lost.
        """
        values = [value for number, value in options if number == OSCORE]
        if len(values) != 1:
            raise BadMacError("an answer that is not protected")
        header = oscore.decode_option(values[0])
        if header.kid_context is not None or header.kid not in (None, self._peer):
            raise MalformedError("an answer of somebody else")
        if header.partial_iv is None:
            number, nonce = None, oscore.nonce(self._ours, asked.number)
        else:
            number = oscore.number_of(header.partial_iv)
            nonce = oscore.nonce(self._theirs, number)
        opened = self._open(nonce, oscore.aad(asked.kid, asked.partial_iv), payload)
        plain = oscore.decode_plaintext(opened)
        notifies = [option for option in options if option[0] == OBSERVE]
        if notifies and not asked.observes:
            raise MalformedError("a notification that nobody asked for")
        kept = [option for option in plain.options if option[0] != OBSERVE]
        if notifies:  # §4.1.3.5.2: its place in the order is its number's
            kept = oscore.merged(kept, [(OBSERVE, (header.partial_iv or b"")[-3:])])
        return Plain(plain.code, kept, plain.payload), number
