"""AES as firmware's `cryptolib` has it, also for CPython."""

try:
    from cryptolib import aes
except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class aes:  # noqa: N801 - the name that firmware has
        def __init__(self, key, mode, iv=None):
            chosen = modes.ECB() if mode == 1 else modes.CBC(iv)  # noqa: S305 - a part of CCM
            self._encryptor = Cipher(algorithms.AES(key), chosen).encryptor()

        def encrypt(self, source, target):
            target[:] = self._encryptor.update(bytes(source))


__all__ = ["aes"]
