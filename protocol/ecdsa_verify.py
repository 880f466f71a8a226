"""Checks an ECDSA signature over P-256 (FIPS 186-5 §6.4.2), on nothing but integers.

Keys are x ‖ y, signatures r ‖ s, 32 bytes each: one spelling, no DER. Everything here is
public, so nothing needs to take the same time for all inputs.
"""

from protocol.p256 import B, N, P, added, doubled, finished, inverse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.p256 import Point

    Affine = tuple[int, int]

KEY_BYTES = SIGNATURE_BYTES = 64
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def is_key(key: bytes) -> bool:
    """Whether `key` is a point of the curve."""
    if len(key) != KEY_BYTES:
        return False
    x, y = _pair(key)
    return x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0


def verify(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether `signature` is by the holder of `key`, over what has the SHA-256 `digest`."""
    if len(signature) != SIGNATURE_BYTES or not is_key(key):
        return False
    r, s = _pair(signature)
    if not 0 < r < N or not 0 < s < N:
        return False
    w = finished(inverse(s, N))
    z = int.from_bytes(digest, "big")
    point = _twin(z * w % N, r * w % N, _pair(key))
    if point is None:
        return False
    # x = X / ZZ is below P and r below N: the two x that are r modulo N
    found, scale = point[0], point[2]
    return (r * scale - found) % P == 0 or (r + N < P and ((r + N) * scale - found) % P == 0)


def _pair(data: bytes) -> "Affine":
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


def _twin(a: int, b: int, key: "Affine") -> "Point | None":
    """a·G + b·key, both at once (Shamir's trick); None is the point at infinity."""
    points = (None, _G, key, _affine(_plus((_G[0], _G[1], 1, 1), key)))
    a_bytes, b_bytes = a.to_bytes(32, "big"), b.to_bytes(32, "big")
    total: "Point | None" = None
    for index in range(32):
        byte_a, byte_b = a_bytes[index], b_bytes[index]
        for bit in range(7, -1, -1):
            if total is not None:
                total = doubled(*total)
            total = _plus(total, points[byte_a >> bit & 1 | (byte_b >> bit & 1) << 1])
    return total


def _plus(point: "Point | None", other: "Affine | None") -> "Point | None":
    """Any sum: what is equal is doubled, what is opposite is infinity."""
    if other is None:
        return point
    x, y = other
    if point is None:
        return x, y, 1, 1
    total = added(point[0], point[1], point[2], point[3], x, y)
    if total[2]:
        return total
    return doubled(x, y, 1, 1) if y * point[3] % P == point[1] else None


def _affine(point: "Point | None") -> "Affine | None":
    if point is None:
        return None
    x, y, zz, zzz = point
    return x * finished(inverse(zz, P)) % P, y * finished(inverse(zzz, P)) % P
