"""Faults: what went wrong with the gateway's own store."""

from typing import Any

from tests.protocol import oracles

BEGUN: dict[int, Any] = {1: "store-full", 2: "20480 bytes are free"}
OVER: dict[int, Any] = {1: "store-full", 2: "after 34 s", 3: 12}
WRONG: dict[str, Any] = {
    "an array": ["store-full", ""],
    "text": "store-full",
    "nothing": {},
    "no what": {2: "", 3: 0},
    "no detail": {1: "store-full"},
    "another what": BEGUN | {1: "store-lost"},
    "a what of bytes": BEGUN | {1: b"store-full"},
    "a what that is a list": BEGUN | {1: []},
    "a detail of bytes": BEGUN | {2: b""},
    "a detail that is null": BEGUN | {2: None},
    "a detail that is too long": BEGUN | {2: 501 * "a"},
    "a count below zero": BEGUN | {3: -1},
    "a count that is true": BEGUN | {3: True},
    "a count that is false": BEGUN | {3: False},
    "a count of text": BEGUN | {3: "1"},
    "a count that is null": BEGUN | {3: None},
    "another label": BEGUN | {4: 0},
    "a label of text": BEGUN | {"what": "store-full"},
}


def cases() -> list[dict[str, Any]]:
    good = {
        "a full store": BEGUN,
        "a full store that is over": OVER,
        "nobody was refused": OVER | {3: 0},
        "many were refused": OVER | {3: 1 << 40},
        "a failed store": BEGUN | {1: "store-failed", 2: "disk I/O error"},
        "a body that is another": BEGUN | {1: "integrity", 2: "entry 5"},
        "no words": BEGUN | {2: ""},
        "as many as there may be": BEGUN | {2: 500 * "\u00e9"},
    }
    return [
        *({"name": name, "fields": [fields.get(n) for n in (1, 2, 3)], "hex": _hex(fields)}
          for name, fields in good.items()),
        *({"name": name, "hex": _hex(fields), "error": "malformed"}
          for name, fields in WRONG.items()),
        {"name": "cut", "hex": _hex(OVER)[:-2], "error": "malformed"},
    ]  # fmt: skip


def _hex(fields: Any) -> str:
    return oracles.cbor(fields).hex()
