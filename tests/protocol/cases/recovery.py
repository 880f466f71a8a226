"""Recoveries: what a new ledger says of the one before."""

from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.checkpoint import BODY, ORIGIN, signature

NOTE = f"{BODY}\n{signature(BODY)}\n"
GOOD: dict[int, Any] = {1: ORIGIN, 2: NOTE, 3: 421}


def cases() -> list[dict[str, Any]]:
    good = {
        "with a note and numbers": GOOD,
        "with a note, no numbers": {1: ORIGIN, 2: NOTE},
        "with numbers, no note": {1: ORIGIN, 3: 0},
        "with nothing but a name": {1: ORIGIN},
    }
    return [
        *(
            {"name": name, "fields": [fields.get(label) for label in (1, 2, 3)],
             "hex": oracles.cbor(fields).hex()}
            for name, fields in good.items()
        ),
        *_bad(),
    ]  # fmt: skip


def _bad() -> list[dict[str, Any]]:
    wrong: dict[str, Any] = {
        "an array": [ORIGIN, NOTE, 421],
        "text": ORIGIN,
        "no origin": {2: NOTE, 3: 421},
        "an origin of bytes": GOOD | {1: b"ledger"},
        "an origin that no ledger can have": GOOD | {1: "two words"},
        "a note of bytes": GOOD | {2: NOTE.encode()},
        "a note that is null": GOOD | {2: None},
        "numbers that are true": GOOD | {3: True},
        "numbers that are false": GOOD | {3: False},
        "numbers below zero": GOOD | {3: -1},
        "numbers of text": GOOD | {3: "421"},
        "another label": GOOD | {4: 0},
    }
    cases = [
        {"name": name, "hex": oracles.cbor(fields).hex(), "error": "malformed"}
        for name, fields in wrong.items()
    ]
    return [*cases, {"name": "cut", "hex": oracles.cbor(GOOD)[:-1].hex(), "error": "malformed"}]
