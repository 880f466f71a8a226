"""HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869) on nothing but SHA-256.

Firmware has no `hmac` and its hash objects cannot be copied: the two pads are worked out
once per key and hashed again for each message.
"""

import hashlib

DIGEST_BYTES = 32
_BLOCK_BYTES = 64


class HmacKey:
    """A key with its pads. Never printed: it has no repr of its own on purpose."""

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key + bytes(_BLOCK_BYTES - len(key))
        self._inner = bytes([byte ^ 0x36 for byte in block])
        self._outer = bytes([byte ^ 0x5C for byte in block])

    def tag(self, message: bytes) -> bytes:
        inner = hashlib.sha256(self._inner)
        inner.update(message)
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
