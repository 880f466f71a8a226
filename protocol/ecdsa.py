"""ECDSA with P-256 and SHA-256 (FIPS 186-5 §6.4), for a board: signatures, made in advance or not.

Most of a signature does not depend on what is signed: (r, 1 / nonce), a coupon here. Coupons are
made step by step while a board has nothing to do, and live in memory only. A nonce that signs
twice gives the key away: a coupon is taken out of the pool before it is used.
"""

from protocol import p256
from protocol.errors import FaultError
from protocol.mac import HmacKey
from protocol.p256 import N, P, finished

KEY_BYTES = 32
_ONES = b"\x01" * 32
_HALF_N = N // 2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from protocol.p256 import Read


def nonce(key: bytes, digest: bytes, extra: bytes = b"") -> "Generator[None, None, int]":
    """The nonce of RFC 6979 §3.2; `extra` as in §3.6."""
    reduced = int.from_bytes(digest, "big") % N
    seed = key + reduced.to_bytes(32, "big") + extra
    mac, value = HmacKey(bytes(32)), _ONES
    for turn in (b"\x00", b"\x01"):
        mac = HmacKey(mac.tag(value + turn + seed))
        value = mac.tag(value)
        yield
    while True:
        value = mac.tag(value)
        number = int.from_bytes(value, "big")
        if 0 < number < N:
            return number
        mac = HmacKey(mac.tag(value + b"\x00"))
        value = mac.tag(value)


class Signer:
    """Signs digests with one private key. Has one owner, and no repr: it holds the key.

    `coupons` are how many to have ready; 0 for none. `boot` is said by this start and by no other:
    it alone keeps the nonces of coupons apart where `random_bytes` is broken, and
    `random_bytes` alone does where `boot` is.
    """

    def __init__(
        self,
        key: bytes,
        read: "Read",
        random_bytes: "Callable[[int], bytes]",
        *,
        boot: bytes = b"",
        coupons: int = 0,
    ) -> None:
        """`key` is a number from 1 to N - 1, 32 bytes; `read` gives a point of the table."""
        self._key = key
        self._scalar = int.from_bytes(key, "big")
        self._read = read
        self._random_bytes = random_bytes
        self._boot = boot
        self._wanted = coupons
        self._made = 0
        self._coupons: list[bytes] = []
        self._steps: Generator[None, None, bytes] | None = None

    @property
    def ready(self) -> int:
        """How many signatures are as good as made."""
        return len(self._coupons)

    def idle(self) -> bool:
        """Takes one short step toward the next coupon; False where there are enough.

        FaultError where it came out wrong: that coupon is lost, the next has another nonce.
        """
        if self._steps is None:
            if len(self._coupons) >= self._wanted:
                return False
            self._steps = self._coupon()
        steps, self._steps = self._steps, None
        try:
            next(steps)
            self._steps = steps
        except StopIteration as end:
            self._coupons.append(end.value)
        return True

    def sign(self, digest: bytes) -> bytes:
        """r ‖ s, 64 bytes: of a coupon, if need be of one half made; else the one of RFC 6979.
        Of the two s that hold it is the lower.

        FaultError, with nothing signed and the coupon gone, where it came out wrong.
        """
        if self._coupons:
            coupon = self._coupons.pop()
        elif self._steps is not None:
            steps, self._steps = self._steps, None
            coupon = finished(steps)
        else:
            coupon = finished(self._pair(finished(nonce(self._key, digest))))
        first = coupon[:32]
        r, inverse = int.from_bytes(first, "big"), int.from_bytes(coupon[32:], "big")
        s = (int.from_bytes(digest, "big") + r * self._scalar) * inverse % N
        if not r or not s:
            raise FaultError("a signature of zero")
        if s > _HALF_N:  # anyone can write n - s for s, and both hold: this is the one spelling
            s = N - s
        return first + s.to_bytes(32, "big")

    def _coupon(self) -> "Generator[None, None, bytes]":
        self._made += 1
        number = self._boot + self._made.to_bytes(4, "big")
        seed = HmacKey(self._key).tag(number)
        hedge = b"coupon" + self._random_bytes(32)
        k = yield from nonce(self._key, seed, hedge)
        del number, seed, hedge  # a board has no memory for them while the rest is made
        return (yield from self._pair(k))

    def _pair(self, k: int) -> "Generator[None, None, bytes]":
        """r ‖ 1 / k, as bytes: large numbers take twice the memory."""
        x, _, zz, _ = yield from p256.multiple(k, self._read, self._blind(P))
        inverse = yield from self._inverse(zz, P)
        r = inverse * x % P % N
        k = yield from self._inverse(k, N)
        return r.to_bytes(32, "big") + k.to_bytes(32, "big")

    def _inverse(self, number: int, modulus: int) -> "Generator[None, None, int]":
        blind = self._blind(modulus)
        found = yield from p256.inverse(number * blind % modulus, modulus)
        return found * blind % modulus

    def _blind(self, modulus: int) -> int:
        return int.from_bytes(self._random_bytes(32), "big") % (modulus - 1) + 1
