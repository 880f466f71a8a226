"""Batches: entries with their place and proof, as a gateway pushes them."""

from typing import Any

from tests.protocol import oracles

GOOD: dict[int, Any] = {
    1: "greenhouse.example/ledger",
    2: 4,
    3: [[b"leaf 4", bytes(16), b"body"], [b"leaf 5", bytes(16), None]],
    4: "a signed note",
    5: [bytes(32), b"\xff" * 32],
}


def cases() -> list[dict[str, Any]]:
    empty = GOOD | {2: 0, 3: [], 5: []}
    return [_good("two entries, one without its body", GOOD), _good("no entries", empty), *_bad()]


def _good(name: str, fields: dict[int, Any]) -> dict[str, Any]:
    entries = [[part if part is None else part.hex() for part in entry] for entry in fields[3]]
    proof = [node.hex() for node in fields[5]]
    shown = {"origin": fields[1], "start": fields[2], "entries": entries, "note": fields[4]}
    return {"name": name, **shown, "proof": proof, "hex": oracles.cbor(fields).hex()}


def _bad() -> list[dict[str, Any]]:
    wrong: dict[str, Any] = {
        "an array": [1, 2, 3, 4, 5],
        "four fields": {label: GOOD[label] for label in (1, 2, 3, 4)},
        "six fields": GOOD | {6: 0},
        "another fifth field": {**{label: GOOD[label] for label in (1, 2, 3, 4)}, 6: []},
        "an origin of bytes": GOOD | {1: b"greenhouse"},
        "no note": GOOD | {4: None},
        "a start of text": GOOD | {2: "4"},
        "a start that is true": GOOD | {2: True},
        "a start before the first": GOOD | {2: -1},
        "entries in a map": GOOD | {3: {}},
        "a proof that is bytes": GOOD | {5: bytes(32)},
        "a proof of a short hash": GOOD | {5: [bytes(31)]},
        "a proof of numbers": GOOD | {5: [1]},
        "an entry that is bytes": GOOD | {3: [b"leaf"]},
        "an entry of two": GOOD | {3: [[b"leaf", b"salt"]]},
        "a leaf of text": GOOD | {3: [["leaf", b"salt", b"body"]]},
        "no salt": GOOD | {3: [[b"leaf", None, b"body"]]},
        "a body of text": GOOD | {3: [[b"leaf", b"salt", "body"]]},
    }
    cases = [
        {"name": name, "hex": oracles.cbor(fields).hex(), "error": "malformed"}
        for name, fields in wrong.items()
    ]
    return [*cases, {"name": "cut", "hex": oracles.cbor(GOOD)[:-1].hex(), "error": "malformed"}]
