"""ECDSA over P-256: RFC 6979 A.2.5, and every way in which a signature or a key can be none.

What is right is said by `cryptography`; points are made by a few lines of affine arithmetic.
"""

from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
RFC_6979_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
# message -> r ‖ s (RFC 6979 A.2.5, with SHA-256)
RFC_6979 = {
    "sample": "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    "test": "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
    "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
}
Point = tuple[int, int] | None


def cases() -> list[dict[str, Any]]:
    return [*_rfc(), *_small_keys(), *_digests(), *_ranges(), *_points(), *_keys(), *_changed()]


def _rfc() -> list[dict[str, Any]]:
    key = public(RFC_6979_KEY)
    return [
        _case(f"RFC 6979 A.2.5, {text}", key, sha256(text.encode()).digest(), bytes.fromhex(right))
        for text, right in RFC_6979.items()
    ]


def _small_keys() -> list[dict[str, Any]]:
    """Keys whose sum with G is a doubling, or infinity; and the largest."""
    digest = sha256(b"small keys").digest()
    keys = {"1": 1, "2": 2, "3": 3, "n - 1": N - 1, "n - 2": N - 2}
    made = [
        _case(f"private key {name}", public(d), digest, signed(d, digest, 77))
        for name, d in keys.items()
    ]
    # of r = z and d = 1 both multipliers are one number: the sum doubles at each step
    r = int.from_bytes(digest, "big") % N
    return [*made, _case("two equal multipliers", public(1), digest, pair(r, 5))]


def _digests() -> list[dict[str, Any]]:
    digests = {"all zeros": bytes(32), "all ones": b"\xff" * 32, "n": _bytes(N), "one": _bytes(1)}
    return [
        _case(f"a digest of {name}", public(9), digest, signed(9, digest, 1234567))
        for name, digest in digests.items()
    ]


def _ranges() -> list[dict[str, Any]]:
    digest = sha256(b"ranges").digest()
    right = signed(11, digest, 4711)
    r, s = int.from_bytes(right[:32], "big"), int.from_bytes(right[32:], "big")
    wrong = {
        "r is 0": (0, s), "s is 0": (r, 0), "both are 0": (0, 0), "r is n": (N, s),
        "s is n": (r, N), "r is p": (P, s), "s and n swapped": (s, r), "r is 2^256 - 1": (-1, s),
        "s is 2^256 - 1": (r, -1), "r is negated": (N - r, s), "r is 1, s is 1": (1, 1),
        "r is n - 1": (N - 1, s),
    }  # fmt: skip
    made = [_case(name, public(11), digest, pair(*numbers)) for name, numbers in wrong.items()]
    return [
        *made,
        _case("s negated, which is as good", public(11), digest, pair(r, N - s)),
        _case("r short of a byte", public(11), digest, right[1:]),
        _case("a byte more", public(11), digest, right + b"\0"),
        _case("no signature", public(11), digest, b""),
        _case("DER", public(11), digest, utils.encode_dss_signature(r, s)[:64]),
    ]


def _points() -> list[dict[str, Any]]:
    """Sums that are infinity, and an x-coordinate that is over n."""
    digest = sha256(b"points").digest()
    z = int.from_bytes(digest, "big") % N
    at_infinity = pair(-z * pow(13, -1, N) % N, 99)
    x = next(x for x in range(N + 1, P) if _y_of(x) is not None)
    y = _y_of(x)
    assert y is not None
    r, s = x - N, 4242
    inverse = pow(r, -1, N)
    key = plus(times(s * inverse % N, (x, y)), times(-z * inverse % N, G))
    assert key is not None
    return [
        _case("the sum is infinity", public(13), digest, at_infinity),
        _case("x is r + n", _key(key), digest, pair(r, s)),
        _case("x is not r + n", _key(key), digest, pair(r + 1, s)),
    ]


def _keys() -> list[dict[str, Any]]:
    digest = sha256(b"keys").digest()
    right, (x, y) = signed(17, digest, 31337), _point(17)
    wrong = {
        "not on the curve": (x, y ^ 1), "zeros": (0, 0), "x and y swapped": (y, x),
        "x is p": (P, y), "y is p": (x, P), "of a curve with another b": (x, 1),
        "x is 2^256 - 1": (-1, y), "the key's negative": (x, P - y),
    }  # fmt: skip
    made = [
        _case(f"a key: {name}", pair(*numbers), digest, right) for name, numbers in wrong.items()
    ]
    # x of 5 is over p when p is added, and still has 32 bytes
    low = next(x for x in range(5, 100) if _y_of(x) is not None)
    low_y = _y_of(low)
    assert low_y is not None
    return [
        *made,
        _case("a key: x not reduced", pair(low + P, low_y), digest, right),
        _case("a key: a byte short", public(17)[1:], digest, right),
        _case("a key: with its SEC 1 prefix", b"\x04" + public(17), digest, right),
    ]


def _changed() -> list[dict[str, Any]]:
    digest = sha256(b"changed").digest()
    right = signed(RFC_6979_KEY, digest, 2**200 + 1)
    made = [_case("before it is changed", public(RFC_6979_KEY), digest, right)]
    for at in range(0, 512, 73):
        mask = (1 << at).to_bytes(64, "big")
        changed = bytes(a ^ b for a, b in zip(right, mask, strict=True))
        made.append(_case(f"bit {at} changed", public(RFC_6979_KEY), digest, changed))
    other = sha256(b"Changed").digest()
    return [*made, _case("another digest", public(RFC_6979_KEY), other, right)]


def _case(name: str, key: bytes, digest: bytes, signature: bytes) -> dict[str, Any]:
    shown = {"key": key.hex(), "digest": digest.hex(), "signature": signature.hex()}
    return {"name": name, **shown, "valid": _is_valid(key, digest, signature)}


def _is_valid(key: bytes, digest: bytes, signature: bytes) -> bool:
    if len(signature) != 64 or len(key) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        loaded = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
        der = utils.encode_dss_signature(r, s)
        loaded.verify(der, digest, ec.ECDSA(utils.Prehashed(SHA256())))
    except (ValueError, InvalidSignature):
        return False
    return True


# --- points, to make cases with ---------------------------------------------------------------


def plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(factor: int, point: Point) -> Point:
    total: Point = None
    for bit in f"{factor % N:b}":
        total = plus(total, total)
        if bit == "1":
            total = plus(total, point)
    return total


def signed(d: int, digest: bytes, k: int) -> bytes:
    r = _point(k)[0] % N
    z = int.from_bytes(digest, "big")
    return pair(r, (z + r * d) * pow(k, -1, N) % N)


def public(d: int) -> bytes:
    return _key(_point(d))


def pair(first: int, second: int) -> bytes:
    return _bytes(first) + _bytes(second)


def _point(d: int) -> tuple[int, int]:
    point = times(d, G)
    assert point is not None
    return point


def _key(point: tuple[int, int]) -> bytes:
    return pair(*point)


def _bytes(number: int) -> bytes:
    return (number % 2**256).to_bytes(32, "big")


def _y_of(x: int) -> int | None:
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return y if y * y % P == square else None
