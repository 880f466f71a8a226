"""A pair of keys of P-256, made on the board that will sign with it. A board loads this once."""

from protocol import p256
from protocol.mac import HmacKey
from protocol.p256 import N, P, finished

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.p256 import Read


def private_key(own: bytes, given: bytes) -> bytes:
    """32 bytes, a number from 1 to N - 1 that nobody can guess if either of the two is random.

    `own` is the board's entropy, which some boards have too little of; `given` is the host's.
    """
    number = int.from_bytes(
        HmacKey(given).tag(own + b"\x00") + HmacKey(given).tag(own + b"\x01"), "big"
    )
    return (number % (N - 1) + 1).to_bytes(32, "big")


def public_key(key: bytes, read: "Read", random_bytes: "Callable[[int], bytes]") -> bytes:
    """x ‖ y, 64 bytes. FaultError for a damaged table."""
    blind = int.from_bytes(random_bytes(32), "big") % (P - 1) + 1
    x, y, zz, zzz = finished(p256.multiple(int.from_bytes(key, "big"), read, blind))
    x = x * finished(p256.inverse(zz, P)) % P
    y = y * finished(p256.inverse(zzz, P)) % P
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def is_private_key(key: bytes) -> bool:
    """Whether these are the bytes of a number that can sign."""
    return len(key) == 32 and 0 < int.from_bytes(key, "big") < N
