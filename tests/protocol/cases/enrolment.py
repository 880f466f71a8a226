"""Enrolments: who may speak, and under which key."""

import hashlib
from typing import Any

from tests.protocol import oracles

KEY = bytes(range(64))
MAC: dict[str, Any] = {"name": "greenhouse-1", "profile": "mac"}
SIG: dict[str, Any] = {"name": "greenhouse-1", "profile": "sig", "key": KEY}
WRONG: dict[str, Any] = {
    "an array": ["greenhouse-1", "mac"],
    "nothing": {},
    "no name": {"profile": "mac"},
    "a name of bytes": MAC | {"name": b"greenhouse-1"},
    "no profile": {"name": "greenhouse-1"},
    "a profile of bytes": MAC | {"profile": b"mac"},
    "another profile": MAC | {"profile": "rot13"},
    "a key with a tag": MAC | {"key": KEY},
    "no key with a signature": SIG | {"key": b""},
    "a key that is cut": SIG | {"key": KEY[:-1]},
    "a key that is too long": SIG | {"key": KEY + b"\x00"},
    "a key of text": SIG | {"key": 64 * "a"},
    "generation 0 in words": MAC | {"generation": 0},
    "a generation that is true": MAC | {"generation": True},
    "a generation that is false": MAC | {"generation": False},
    "a generation of text": MAC | {"generation": "1"},
    "a generation below zero": MAC | {"generation": -1},
    "a generation that is too large": MAC | {"generation": 1 << 32},
    "another label": MAC | {"secret": b""},
}


def cases() -> list[dict[str, Any]]:
    good = {
        "with a tag": MAC,
        "with a tag, the second secret": MAC | {"generation": 1},
        "with a tag, the last secret there can be": MAC | {"generation": (1 << 32) - 1},
        "with a signature": SIG,
        "with a signature, the third key": SIG | {"generation": 2, "key": KEY[::-1]},
        "with a name that is none": MAC | {"name": ""},
    }
    return [
        *({"name": name, "fields": _fields(fields), "kid": _kid(fields).hex(), "hex": _hex(fields)}
          for name, fields in good.items()),
        *({"name": name, "hex": _hex(fields), "error": "malformed"}
          for name, fields in WRONG.items()),
        {"name": "another kid", "hex": _cbor(MAC | {"kid": bytes(8)}), "error": "malformed"},
        {"name": "the kid of the secret before", "error": "malformed",
         "hex": _cbor(MAC | {"generation": 1, "kid": _kid(MAC)})},
        {"name": "no kid", "hex": _cbor(MAC), "error": "malformed"},
        {"name": "cut", "hex": _hex(SIG)[:-2], "error": "malformed"},
    ]  # fmt: skip


def _fields(fields: dict[str, Any]) -> list[Any]:
    key = fields.get("key", b"").hex()
    return [fields["name"], fields["profile"], fields.get("generation", 0), key]


def _kid(fields: dict[str, Any]) -> bytes:
    """A signature's follows from its key, a tag's from how many secrets were before."""
    identity = [fields["profile"], fields["name"]]
    if fields["profile"] == "sig":
        identity.append(fields["key"])
    elif fields.get("generation"):
        identity.append(fields["generation"])
    return hashlib.sha256(oracles.cbor(identity)).digest()[:8]


def _hex(fields: Any) -> str:
    if "name" in fields and fields.get("profile") in ("mac", "sig"):
        fields = fields | {"kid": _kid(fields)}
    return _cbor(fields)


def _cbor(fields: Any) -> str:
    return oracles.cbor(fields).hex()
