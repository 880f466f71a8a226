"""AES-CCM-16-64-128: what `cryptography` makes of it, and what must not open."""

from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

KEY, NONCE, AAD = bytes(range(16)), bytes(range(0x30, 0x3D)), b"Encrypt0 and so on"
SIZES = (0, 1, 7, 15, 16, 17, 31, 32, 33, 255, 256, 1024)
AAD_SIZES = (1, 13, 14, 15, 30, 64)


def cases() -> list[dict[str, Any]]:
    plain = [_good(f"{size} bytes", AAD, bytes(i & 255 for i in range(size))) for size in SIZES]
    headed = [_good(f"an aad of {size} bytes", b"a" * size, b"message") for size in AAD_SIZES]
    return [*plain, *headed, *_bad()]


def _case(name: str, aad: bytes, sealed: bytes, **more: Any) -> dict[str, Any]:
    fields = {"key": KEY.hex(), "nonce": NONCE.hex(), "aad": aad.hex(), "hex": sealed.hex()}
    return {"name": name, **fields, **more}


def _good(name: str, aad: bytes, plaintext: bytes) -> dict[str, Any]:
    sealed = AESCCM(KEY, tag_length=8).encrypt(NONCE, plaintext, aad)
    return _case(name, aad, sealed, plaintext=plaintext.hex())


def _bad() -> list[dict[str, Any]]:
    sealed = AESCCM(KEY, tag_length=8).encrypt(NONCE, b"message", AAD)
    wrong = {
        "nothing": b"",
        "shorter than a tag": sealed[-7:],
        "a tag alone": sealed[-8:],
        "cut": sealed[:-1],
        "a bit of the message": bytes((sealed[0] ^ 1,)) + sealed[1:],
        "a bit of the tag": sealed[:-1] + bytes((sealed[-1] ^ 0x80,)),
        "a byte more": sealed + b"\x00",
    }
    bad = [_case(name, AAD, data, error="bad-mac") for name, data in wrong.items()]
    bad.append(_case("another aad", AAD + b"!", sealed, error="bad-mac"))
    return bad
