"""HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869) on nothing but SHA-256.

Firmware has no `hmac` and its hash objects cannot be copied: the two pads are worked out
once per key and hashed again for each message.
"""

import hashlib

DIGEST_BYTES = 32
_BLOCK_BYTES = 64
_INNER = int.from_bytes(b"\x36" * _BLOCK_BYTES, "big")
_OUTER = int.from_bytes(b"\x5c" * _BLOCK_BYTES, "big")


class HmacKey:
    """A key with its pads. Never printed: it has no repr of its own on purpose."""

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        # two large numbers at once: byte by byte, a board takes thirty times as long
        block = int.from_bytes(key + bytes(_BLOCK_BYTES - len(key)), "big")
        self._inner = (block ^ _INNER).to_bytes(_BLOCK_BYTES, "big")
        self._outer = (block ^ _OUTER).to_bytes(_BLOCK_BYTES, "big")

    def tag(self, *parts: bytes) -> bytes:
        """HMAC of the parts as if they were one message, which a board need not put together."""
        inner = hashlib.sha256(self._inner)
        for part in parts:
            inner.update(part)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()


def equal(ours: bytes, theirs: bytes) -> bool:
    """Compares in a time that tells nothing about where the first difference is."""
    if len(ours) != len(theirs):
        return False
    difference = 0
    for index in range(len(ours)):
        difference |= ours[index] ^ theirs[index]
    return difference == 0


def hkdf(secret: bytes, info: bytes, size: int = DIGEST_BYTES, salt: bytes = b"") -> bytes:
    """`size` bytes of key for the purpose `info`."""
    extracted = HmacKey(HmacKey(salt).tag(secret))
    previous = okm = b""
    counter = 0
    while len(okm) < size:
        counter += 1
        previous = extracted.tag(previous + info + bytes((counter,)))
        okm += previous
    return okm[:size]
