"""Which addresses have shown that they are real (RFC 9175 §2.4, RFC 7252 §11.3).

Pure. An Echo value is a MAC over the address and a coarse time: nothing is kept for it. Who
brings one back reads what is sent to that address; it is remembered for a while, in a table
with an end. Until then an address gets small blocks only, so nobody is refused for not knowing
Echo, and no answer is worth forging an address for.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Hashable

# RFC 7252 §11.3 has 64-byte blocks as its example: with its options such an answer stays under
# the 136 bytes that RFC 9175 §2.4 lets anyone be answered with.
SMALL_EXPONENT = 2
MAX_UNVERIFIED_BYTES = 136
WINDOW_MS = 60_000  # a value is good in the window it was made in, and in the next
REMEMBERED_MS = 600_000
MAX_REMEMBERED = 4096
_MAC_BYTES = 8


class Echoes:
    """`key` is 32 random bytes, new with each start: no value outlives the process."""

    def __init__(self, key: bytes, *, max_remembered: int = MAX_REMEMBERED) -> None:
        self._key = key
        self._max_remembered = max_remembered
        self._until_ms: OrderedDict[Hashable, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until_ms)

    def value(self, peer: Hashable, now_ms: int) -> bytes:
        """What `peer` has to bring back."""
        return self._mac(peer, now_ms // WINDOW_MS)

    def verified(self, peer: Hashable, value: bytes | None, now_ms: int) -> bool:
        """Whether `peer` is real: it brought a fresh `value`, or did so lately."""
        if value is not None and self.is_fresh(peer, value, now_ms):
            self._remember(peer, now_ms)
            return True
        return self._until_ms.get(peer, 0) > now_ms

    def is_fresh(self, peer: Hashable, value: bytes, now_ms: int) -> bool:
        """Whether it was made for `peer`, in this window or the last."""
        window = now_ms // WINDOW_MS
        return any(
            hmac.compare_digest(self._mac(peer, made), value) for made in (window, window - 1)
        )

    def _remember(self, peer: Hashable, now_ms: int) -> None:
        self._until_ms[peer] = now_ms + REMEMBERED_MS
        self._until_ms.move_to_end(peer)
        if len(self._until_ms) > self._max_remembered:
            self._until_ms.popitem(last=False)  # it will be asked again, and no more

    def _mac(self, peer: Hashable, window: int) -> bytes:
        message = f"{window} {peer!r}".encode()
        return hmac.digest(self._key, message, hashlib.sha256)[:_MAC_BYTES]
