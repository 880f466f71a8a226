"""AES-CCM-16-64-128 by `cryptography`, as `protocol.oscore` wants it."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from protocol.errors import BadMacError
from protocol.oscore_parts import TAG_BYTES


class Ccm:
    """The cipher under one key."""

    __slots__ = ("_aes",)

    def __init__(self, key: bytes) -> None:
        self._aes = AESCCM(key, tag_length=TAG_BYTES)

    def seal(self, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        return self._aes.encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """BadMacError unless all three are as they were sealed."""
        try:
            return self._aes.decrypt(nonce, ciphertext, aad)
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than a tag
            raise BadMacError("the tag does not fit") from error
