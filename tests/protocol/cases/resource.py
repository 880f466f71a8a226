"""Resources: one change of a path, by the kind of its entry."""

from typing import Any

from tests.protocol import oracles

NOTHING = 8 * b"\xff"
PUT: dict[int, Any] = {1: "@ci", 2: b"21.5", 3: 0, 4: NOTHING}
POST: dict[int, Any] = {1: "greenhouse-1", 2: b"\n", 4: (7).to_bytes(8, "big")}
DELETE: dict[int, Any] = {1: "@ci", 4: (1 << 40).to_bytes(8, "big")}
GOOD: dict[str, tuple[str, dict[int, Any]]] = {
    "a put that creates": ("put", PUT),
    "a put that replaces": ("put", PUT | {4: bytes(8)}),
    "a put of nothing": ("put", PUT | {2: b""}),
    "a put without a format": ("put", {1: "", 2: b"x", 4: NOTHING}),
    "the largest format": ("put", PUT | {3: 65535}),
    "a post": ("post", POST),
    "a post that creates": ("post", POST | {3: 60, 4: NOTHING}),
    "a delete": ("delete", DELETE),
    "the largest index": ("delete", DELETE | {4: 7 * b"\xff" + b"\xfe"}),
    "somebody with letters": ("put", PUT | {1: "@\u00e9\u4e16"}),
}
WRONG: dict[str, tuple[str, Any]] = {
    "an array": ("put", ["@ci", b"x"]),
    "nothing": ("put", {}),
    "no who": ("put", {2: b"x", 4: NOTHING}),
    "a who of bytes": ("put", PUT | {1: b"@ci"}),
    "no content": ("put", {1: "@ci", 4: NOTHING}),
    "a content of text": ("post", POST | {2: "x"}),
    "a content that is null": ("put", PUT | {2: None}),
    "no before": ("put", {1: "@ci", 2: b"x"}),
    "a before that is a number": ("put", PUT | {4: 7}),
    "a before of seven bytes": ("put", PUT | {4: bytes(7)}),
    "a before of nine bytes": ("put", PUT | {4: bytes(9)}),
    "a delete with content": ("delete", DELETE | {2: b""}),
    "a delete with a format": ("delete", DELETE | {3: 0}),
    "a delete of nothing": ("delete", DELETE | {4: NOTHING}),
    "a format that is text": ("put", PUT | {3: "0"}),
    "a format that is true": ("put", PUT | {3: True}),
    "a format that is false": ("put", PUT | {3: False}),
    "a format that is null": ("put", PUT | {3: None}),
    "a format below zero": ("put", PUT | {3: -1}),
    "a format that is too large": ("put", PUT | {3: 65536}),
    "another label": ("put", PUT | {5: 0}),
    "another kind": ("patch", PUT),
}


def cases() -> list[dict[str, Any]]:
    return [
        *({"name": name, "kind": kind, "fields": _shown(fields), "hex": _hex(fields)}
          for name, (kind, fields) in GOOD.items()),
        *({"name": name, "kind": kind, "hex": _hex(fields), "error": "malformed"}
          for name, (kind, fields) in WRONG.items()),
        {"name": "cut", "kind": "put", "hex": _hex(PUT)[:-2], "error": "malformed"},
    ]  # fmt: skip


def _shown(fields: dict[int, Any]) -> list[Any]:
    content, before = fields.get(2), fields[4]
    index = None if before == NOTHING else int.from_bytes(before, "big")
    return [fields[1], None if content is None else content.hex(), fields.get(3), index]


def _hex(fields: Any) -> str:
    return oracles.cbor(fields).hex()
