"""Leaves: their bytes, what they commit to and their chain."""

import hashlib
from typing import Any

from tests.protocol import oracles

HASH = hashlib.sha256(b"any").digest()
MAX = (1 << 63) - 1
# kind, received_ms, clock, source, salt, body
SAMPLES: list[tuple[str, int, int, str, bytes, bytes]] = [
    ("envelope", 1700000000000, 1, "0011223344556677", bytes(16), b"\x84body"),
    ("event", 0, 0, "", b"\x01" * 16, b""),
    ("resource", MAX, 1, "/home/k\u00fcche", b"\xff" * 16, bytes(1000)),
]


def fields(kind: Any, ms: Any, clock: Any, source: Any, body_hash: Any = HASH) -> list[Any]:
    return [1, kind, ms, clock, source, body_hash]


def encoded(kind: str, ms: int, clock: int, source: str, salt: bytes, body: bytes) -> bytes:
    return oracles.cbor(fields(kind, ms, clock, source, hashlib.sha256(salt + body).digest()))


def cases() -> list[dict[str, Any]]:
    return [*_good(), *_bad()]


def _good() -> list[dict[str, Any]]:
    cases = []
    chain = bytes(32)
    for sample in SAMPLES:
        kind, ms, clock, source, salt, body = sample
        data = encoded(*sample)
        hashed = hashlib.sha256(b"\x00" + data).digest()
        before, chain = chain, hashlib.sha256(chain + hashed).digest()
        cases.append({
            "name": f"{kind} from {source!r}", "kind": kind, "received_ms": ms, "clock": clock,
            "source": source, "salt": salt.hex(), "body": body.hex(), "hex": data.hex(),
            "leaf_hash": hashed.hex(), "chain_before": before.hex(), "chain": chain.hex(),
        })  # fmt: skip
    return cases


def _bad() -> list[dict[str, Any]]:
    wrong: list[tuple[str, str, Any]] = [
        ("malformed", "a map", {1: 1}),
        ("malformed", "an empty array", []),
        ("unsupported", "version 2", [2, *fields("k", 0, 0, "")[1:]]),
        ("unsupported", "version true", [True, *fields("k", 0, 0, "")[1:]]),
        ("unsupported", "a version of text", ["1"]),
        ("malformed", "five fields", fields("k", 0, 0, "")[:-1]),
        ("malformed", "seven fields", [*fields("k", 0, 0, ""), 0]),
        ("malformed", "a kind that is a number", fields(1, 0, 0, "")),
        ("malformed", "a source that is bytes", fields("k", 0, 0, b"")),
        ("malformed", "a time before 1970", fields("k", -1, 0, "")),
        ("malformed", "a time over 63 bits", fields("k", MAX + 1, 0, "")),
        ("malformed", "a time that is true", fields("k", True, 0, "")),
        ("malformed", "a time of text", fields("k", "0", 0, "")),
        ("malformed", "a clock of 2", fields("k", 0, 2, "")),
        ("malformed", "a clock of -1", fields("k", 0, -1, "")),
        ("malformed", "a clock that is true", fields("k", 0, True, "")),
        ("malformed", "a clock that is null", fields("k", 0, None, "")),
        ("malformed", "a hash of 31 bytes", fields("k", 0, 0, "", HASH[:31])),
        ("malformed", "a hash of text", fields("k", 0, 0, "", "h" * 32)),
    ]
    cases = [
        {"name": name, "hex": oracles.cbor(value).hex(), "error": reason}
        for reason, name, value in wrong
    ]
    cut = encoded(*SAMPLES[0])[:-1].hex()
    return [*cases, {"name": "cut", "hex": cut, "error": "malformed"}]
