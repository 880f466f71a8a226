"""Audit: a ledger of seven entries as it was committed to, and as somebody changed it."""

import hashlib
from typing import Any

from tests.protocol import oracles
from tests.protocol.cases import leaf as leaves

Entry = list[Any]  # leaf, salt, body or None, chain or None; bytes as hex


def _ledger(bodies: list[bytes]) -> list[Entry]:
    entries, chain = [], bytes(32)
    for index, body in enumerate(bodies):
        salt = bytes([index]) * 16
        data = leaves.encoded("event", 1000 + index, 1, "a", salt, body)
        chain = hashlib.sha256(chain + hashlib.sha256(b"\x00" + data).digest()).digest()
        entries.append([data.hex(), salt.hex(), body.hex(), chain.hex()])
    return entries


BODIES = [b"body %d" % index for index in range(7)]
LEDGER = _ledger(BODIES)


def _root(entries: list[Entry]) -> str:
    return oracles.root([bytes.fromhex(entry[0]) for entry in entries]).hex()


def _marks(*sizes: int) -> list[list[Any]]:
    """Checkpoints of the true ledger: [size, root]."""
    return [[size, _root(LEDGER[:size])] for size in sizes]


def _changed(index: int, field: int, value: Any) -> list[Entry]:
    ledger = [list(entry) for entry in LEDGER]
    ledger[index][field] = value
    return ledger


def _flipped(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def cases() -> list[dict[str, Any]]:
    rewritten = _ledger([*BODIES[:3], b"another", *BODIES[4:]])
    bare = [[leaf, salt, None, None] for leaf, salt, _, _ in rewritten]
    leaf_4, salt_4, body_4, chain_4 = LEDGER[4]
    swapped = [*LEDGER[:2], LEDGER[3], LEDGER[2], *LEDGER[4:]]
    forged = LEDGER[:2] + _ledger([*BODIES[:2], b"new"])[2:]
    return [
        _right("as it was", LEDGER, _marks(0, 4, 7)),
        _right("nothing yet", [], _marks(0)),
        _right("bodies deleted", [[leaf, salt, None, c] for leaf, salt, _, c in LEDGER], _marks(7)),
        _right("without its chain", [[*entry[:3], None] for entry in LEDGER], _marks(1, 2, 3)),
        _right("not yet at its checkpoint", LEDGER[:5], _marks(7)),
        _wrong("a body changed", _changed(4, 2, _flipped(body_4)), [], 4),
        _wrong("a body emptied", _changed(4, 2, ""), [], 4),
        _wrong("a salt changed", _changed(4, 1, _flipped(salt_4)), [], 4),
        _wrong("a leaf changed", _changed(4, 0, leaf_4.replace("1903ec", "1903ed")), [], 4),
        _wrong("a chain value changed", _changed(4, 3, _flipped(chain_4)), [], 4),
        _wrong("an entry taken out", LEDGER[:3] + LEDGER[4:], [], 3),
        _wrong("two entries exchanged", swapped, [], 2),
        _wrong("an entry twice", LEDGER[:3] + LEDGER[2:], [], 3),
        _wrong("rewritten with its chain, found by a checkpoint", rewritten, _marks(2, 5, 7), 4),
        _wrong("rewritten without chain and bodies", bare, _marks(3, 7), 6),
        _wrong("cut, and another entry in its place", forged, _marks(3), 2),
        _wrong("empty, signed with another root", [], [[0, "00" * 32]], 0),
    ]


def _right(name: str, ledger: list[Entry], marks: list[list[Any]]) -> dict[str, Any]:
    chain = _ledger(BODIES[: len(ledger)])[-1][3] if ledger else "00" * 32
    found = {"size": len(ledger), "root": _root(ledger), "chain": chain}
    return {"name": name, "entries": ledger, "checkpoints": marks, **found}


def _wrong(name: str, ledger: list[Entry], marks: list[list[Any]], index: int) -> dict[str, Any]:
    found = {"error": "tampered", "first_bad": index}
    return {"name": name, "entries": ledger, "checkpoints": marks, **found}
