"""AES-CCM-16-64-128 (RFC 3610, RFC 9053 §4.2) from AES in ECB and CBC, which firmware has.

`aes` is `cryptolib.aes`, or what looks like it: `aes(key, mode[, iv])` with mode 1 for ECB
and 2 for CBC, and `encrypt(from, to)`.
"""

from protocol.errors import BadMacError
from protocol.mac import equal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ECB, _CBC = 1, 2
_BLOCK_BYTES, _TAG_BYTES = 16, 8
_LENGTH_BYTES = 2  # L: so a nonce is 13 bytes, a message shorter than 64 KiB
_FLAGS = (_TAG_BYTES - 2) // 2 << 3 | _LENGTH_BYTES - 1
_HAS_AAD = 0x40


class Ccm:
    """The cipher under one key."""

    def __init__(self, key: bytes, aes: "Callable[..., Any]") -> None:
        self._key = key
        self._aes = aes

    def seal(self, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Ciphertext and tag; `aad` is not empty and below 65,280 bytes (RFC 3610 §2.2)."""
        stream = self._stream(nonce, len(plaintext))
        tag = _xor(self._mac(nonce, aad, plaintext), stream[:_TAG_BYTES])
        return _xor(plaintext, stream[_BLOCK_BYTES:]) + tag

    def open(self, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """The plaintext; BadMacError unless all three are as they were sealed."""
        size = len(ciphertext) - _TAG_BYTES
        if size < 0:
            raise BadMacError("shorter than a tag")
        stream = self._stream(nonce, size)
        plaintext = _xor(ciphertext[:size], stream[_BLOCK_BYTES:])
        tag = _xor(self._mac(nonce, aad, plaintext), stream[:_TAG_BYTES])
        if not equal(tag, ciphertext[size:]):
            raise BadMacError("the tag does not fit")
        return plaintext

    def _mac(self, nonce: bytes, aad: bytes, message: bytes) -> bytes:
        """CBC-MAC over B_0, the padded aad and the padded message (RFC 3610 §2.2)."""
        start = _padded(_BLOCK_BYTES + 2 + len(aad))
        blocks = bytearray(_padded(start + len(message)))
        blocks[0] = _HAS_AAD | _FLAGS
        blocks[1:14] = nonce
        blocks[14:16] = len(message).to_bytes(2, "big")
        blocks[16:18] = len(aad).to_bytes(2, "big")
        blocks[18 : 18 + len(aad)] = aad
        blocks[start : start + len(message)] = message
        self._aes(self._key, _CBC, bytes(_BLOCK_BYTES)).encrypt(blocks, blocks)
        return bytes(blocks[-_BLOCK_BYTES : _TAG_BYTES - _BLOCK_BYTES])

    def _stream(self, nonce: bytes, size: int) -> bytearray:
        """S_0, S_1, …: the first masks the tag, the others the message (§2.3)."""
        blocks = bytearray(_BLOCK_BYTES + _padded(size))
        for counter in range(len(blocks) // _BLOCK_BYTES):
            at = counter * _BLOCK_BYTES
            blocks[at] = _LENGTH_BYTES - 1
            blocks[at + 1 : at + 14] = nonce
            blocks[at + 14 : at + 16] = counter.to_bytes(2, "big")
        self._aes(self._key, _ECB).encrypt(blocks, blocks)
        return blocks


def _padded(size: int) -> int:
    return (size + _BLOCK_BYTES - 1) // _BLOCK_BYTES * _BLOCK_BYTES


def _xor(data: bytes, mask: bytes | bytearray) -> bytes:
    """`data` under the start of `mask`; as one number, which a board does 18 times as fast."""
    size = len(data)
    number = int.from_bytes(data, "big") ^ int.from_bytes(mask[:size], "big")
    return number.to_bytes(size, "big")
