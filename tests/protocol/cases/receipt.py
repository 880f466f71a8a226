"""Receipts: for one envelope and no other."""

from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.envelope import KID, OTHER, SECRET

FIELDS: dict[int, Any] = {1: 41, 2: 1700000000000, 3: 2, 4: 0}
BIG = (1 << 63) - 1


def cases() -> list[dict[str, Any]]:
    return [*_good(), *_for_others(), *_bad_payloads()]


def _case(name: str, data: bytes, **more: Any) -> dict[str, Any]:
    sent = {"kid": KID.hex(), "epoch": 3, "sequence": 14}
    return {"name": name, "secret": SECRET.hex(), **sent, "hex": data.hex(), **more}


def _sealed(payload: Any, secret: bytes = SECRET, direction: str = "down") -> bytes:
    return oracles.envelope(secret, direction, (KID, 3, 14), oracles.cbor(payload))


def _good() -> list[dict[str, Any]]:
    samples = {
        "kept": FIELDS,
        "a gateway without a clock": {1: 0, 2: 0, 3: 0, 4: 0},
        "the largest numbers": {1: BIG, 2: BIG, 3: BIG, 4: BIG},
    }
    return [
        _case(name, _sealed(fields), fields=list(fields.values()))
        for name, fields in samples.items()
    ]


def _for_others() -> list[dict[str, Any]]:
    payload = oracles.cbor(FIELDS)
    numbers = {
        "for the envelope after": (KID, 3, 15),
        "for the epoch before": (KID, 2, 14),
        "for another device's kid": (bytes(8), 3, 14),
    }
    bad = [
        _case(name, oracles.envelope(SECRET, "down", sent, payload))
        for name, sent in numbers.items()
    ]
    bad.append(_case("by another gateway", _sealed(FIELDS, OTHER)))
    bad.append(_case("an envelope sent up, thrown back", _sealed(FIELDS, direction="up")))
    return [case | {"error": "bad-mac"} for case in bad]


def _bad_payloads() -> list[dict[str, Any]]:
    wrong: dict[str, Any] = {
        "an array": [41, 1700000000000, 2, 0],
        "three fields": {1: 41, 2: 1700000000000, 3: 2},
        "five fields": FIELDS | {5: 0},
        "another fourth field": {1: 41, 2: 0, 3: 2, 5: 0},
        "a text index": FIELDS | {1: "41"},
        "an index that is true": FIELDS | {1: True},
        "no time": FIELDS | {2: None},
        "a time before 1970": FIELDS | {2: -1},
        "an index over 63 bits": FIELDS | {1: BIG + 1},
    }
    cases = [_case(name, _sealed(fields), error="malformed") for name, fields in wrong.items()]
    cases.append(_case("cut", _sealed(FIELDS)[:-1], error="malformed"))
    return cases
