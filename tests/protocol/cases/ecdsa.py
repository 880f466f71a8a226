"""ECDSA with P-256 and SHA-256: RFC 6979 A.2.5, and what `cryptography` signs the same way."""

import hashlib
from typing import Any

from tests.protocol import oracles

SCALAR = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
PUBLIC = (
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
# RFC 6979 A.2.5, with SHA-256: message, k, r ‖ s
PRINTED = [
    ("sample", "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"),
    ("test", "d16b6ae827f17175e040871a1c7ec3500192c4c92677336ec2537acaee0008e0",
     "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
     "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"),
]  # fmt: skip
# The first nonce that RFC 6979 makes of this one is over N, once in 2**32: Go's tests found it.
SECOND_NONCE = "wv[vnX"
LARGEST = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550")
SCALARS = [
    *[(f"key {number}", number.to_bytes(32, "big")) for number in (1, 2, 3, 255, 1 << 43, 1 << 44)],
    ("a key with one bit, the highest", (1 << 255).to_bytes(32, "big")),
    ("the last but one key", (int.from_bytes(LARGEST, "big") - 1).to_bytes(32, "big")),
    ("the last key", LARGEST),
    *[(f"random key {n}", hashlib.sha256(b"scalar %d" % n).digest()) for n in range(3)],
]


def cases() -> list[dict[str, Any]]:
    printed = [_case(f"RFC 6979 A.2.5, {message}", SCALAR, message, k) for message, k, _ in PRINTED]
    for case, (_, _, signature) in zip(printed, PRINTED, strict=True):
        assert (case["signature"], case["public_key"]) == (signature, PUBLIC)
    second = _case("a second nonce", SCALAR, SECOND_NONCE)
    return [*printed, second, *[_case(name, key.hex(), name) for name, key in SCALARS]]


def _case(name: str, scalar: str, message: str, k: str = "") -> dict[str, Any]:
    key = bytes.fromhex(scalar)
    case = {
        "name": name,
        "scalar": scalar,
        "public_key": oracles.p256_public(key).hex(),
        "digest": hashlib.sha256(message.encode()).hexdigest(),
        "signature": oracles.ecdsa(key, message.encode()).hex(),
    }
    return case | {"nonce": k} if k else case
