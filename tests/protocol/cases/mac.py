"""HMAC-SHA-256 (RFC 4231 §4) and HKDF-SHA-256 (RFC 5869 A.1 to A.3)."""

from typing import Any

from tests.protocol import oracles

# number -> key, data, the RFC's own result; case 5 is about a shortened one
RFC_4231 = {
    1: ("0b" * 20, b"Hi There".hex(),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    2: (b"Jefe".hex(), b"what do ya want for nothing?".hex(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    3: ("aa" * 20, "dd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    4: (bytes(range(1, 26)).hex(), "cd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    6: ("aa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    7: ("aa" * 131, (b"This is a test using a larger than block-size key and a larger than "
                     b"block-size data. The key needs to be hashed before being used by the "
                     b"HMAC algorithm.").hex(),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
}  # fmt: skip

RFC_5869 = {
    1: ("0b" * 22, bytes(range(13)).hex(), bytes(range(0xF0, 0xFA)).hex(), 42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    2: (bytes(range(0x50)).hex(), bytes(range(0x60, 0xB0)).hex(), bytes(range(0xB0, 0x100)).hex(),
        82, "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"),
    3: ("0b" * 22, "", "", 42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
}  # fmt: skip


def cases() -> list[dict[str, Any]]:
    return [_hmac(*item) for item in RFC_4231.items()] + [_hkdf(*i) for i in RFC_5869.items()]


def _hmac(number: int, fields: tuple[str, str, str]) -> dict[str, Any]:
    key, data, tag = fields
    assert oracles.hmac(bytes.fromhex(key), bytes.fromhex(data)).hex() == tag
    return {"name": f"RFC 4231 case {number}", "key": key, "data": data, "hex": tag}


def _hkdf(number: int, fields: tuple[str, str, str, int, str]) -> dict[str, Any]:
    secret, salt, info, size, okm = fields
    raw = [bytes.fromhex(field) for field in (secret, info, salt)]
    assert oracles.hkdf(raw[0], raw[1], size, raw[2]).hex() == okm
    name = f"RFC 5869 case {number}"
    return {"name": name, "secret": secret, "salt": salt, "info": info, "size": size, "hex": okm}
