"""Rotations: statements of both keys, and which key signs a checkpoint of which size."""

import base64
from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.checkpoint import ORIGIN, key_id, public, signature, vkey
from tests.protocol.cases.merkle import PUBLISHED_ROOTS

SEEDS = [bytes(range(first, first + 32)) for first in (0, 32, 64, 96)]
FIRST, SECOND, THIRD, FOREIGN = [vkey(ORIGIN, seed) for seed in SEEDS]
ROOT = PUBLISHED_ROOTS[8]
OTHER_ROOT = PUBLISHED_ROOTS[7]
LARGEST = (1 << 63) - 1


def cases() -> list[dict[str, Any]]:
    return [*_statements(), *_damaged(), *_epochs(), *_refused_turns(), *_lines()]


def text(size: object = 8, root: str = ROOT, old: str = FIRST, new: str = SECOND) -> str:
    encoded = base64.b64encode(bytes.fromhex(root)).decode()
    return f"tallystick rotation v1\n{ORIGIN}\n{size}\n{encoded}\n{old}\n{new}\n"


def signed(body: str, *seeds: bytes) -> str:
    """A note of `body` under the keys of `seeds`, in that order."""
    return f"{body}\n" + "".join(f"{signature(body, ORIGIN, seed)}\n" for seed in seeds)


def _statement(name: str, size: int, root: str, keys: tuple[int, int]) -> dict[str, Any]:
    old, new = keys
    body = text(size, root, vkey(ORIGIN, SEEDS[old]), vkey(ORIGIN, SEEDS[new]))
    values = [oracles.ed25519(SEEDS[n]).sign(body.encode()).hex() for n in keys]
    return {
        "name": f"statement, {name}",
        "statement": signed(body, SEEDS[old], SEEDS[new]).encode().hex(),
        "says": [size, root, vkey(ORIGIN, SEEDS[old]), vkey(ORIGIN, SEEDS[new])],
        "signatures": values,
    }


def _statements() -> list[dict[str, Any]]:
    return [
        _statement("after eight entries", 8, ROOT, (0, 1)),
        _statement("the second one", 9, OTHER_ROOT, (1, 2)),
        _statement("before the first entry", 0, PUBLISHED_ROOTS[0], (0, 1)),
        _statement("of the largest ledger", LARGEST, ROOT, (0, 1)),
    ]


def _damaged() -> list[dict[str, Any]]:
    both = (SEEDS[0], SEEDS[1])
    good = text()
    lines = good.split("\n")
    cosigner = _key_of_a_witness()
    unsigned = {
        "of another version": good.replace("v1", "v2"),
        "with a line more": f"{good}more\n",
        "with a line less": "\n".join(lines[:5]) + "\n",
        "with a size in another spelling": text("08"),
        "with a size below zero": text(-1),
        "with a size too large": text(1 << 63),
        "with a root of 31 bytes": text(root=ROOT[2:]),
        "with a root that is no base64": good.replace(lines[3], "????"),
        "of another origin than its keys": good.replace(f"\n{ORIGIN}\n", "\nother\n"),
        "from a key of another origin": text(old=vkey("other", SEEDS[0])),
        "to a key of another origin": text(new=vkey("other", SEEDS[1])),
        "to a witness's key": text(new=cosigner),
        "to the same key": text(new=FIRST),
        "to what is no key": text(new="none"),
        "that is a checkpoint": f"{ORIGIN}\n8\n{lines[3]}\n",
    }
    wrong: list[tuple[str, str, bytes]] = [
        ("malformed", name, signed(body, *both).encode()) for name, body in unsigned.items()
    ]
    impostor = signature(good, ORIGIN, SEEDS[3]).split(" ")[2]
    own = signature(good, ORIGIN, SEEDS[1]).split(" ")[2]
    forged = base64.b64decode(own)[:4] + base64.b64decode(impostor)[4:]
    swapped = signed(good, *both).replace(own, base64.b64encode(forged).decode())
    wrong += [
        ("malformed", "that is no text", b"\xff" + signed(good, *both).encode()),
        ("malformed", "of nothing", b""),
        ("malformed", "without signatures", f"{good}\n".encode()),
        ("bad-signature", "without the old key's signature", signed(good, SEEDS[1]).encode()),
        ("bad-signature", "without the new key's signature", signed(good, SEEDS[0]).encode()),
        ("bad-signature", "by another key", signed(good, SEEDS[0], SEEDS[3]).encode()),
        ("bad-signature", "with a forged signature", swapped.encode()),
        ("bad-signature", "whose size was changed",
         signed(good, *both).replace("\n8\n", "\n9\n").encode()),
    ]  # fmt: skip
    return [
        {"name": f"statement, {name}", "statement": body.hex(), "error": reason}
        for reason, name, body in wrong
    ]


def _key_of_a_witness() -> str:
    """SECOND's public key with the algorithm byte of a cosigner (C2SP tlog-cosignature)."""
    material = b"\x04" + public(SEEDS[1])
    encoded = base64.b64encode(material).decode()
    return f"{ORIGIN}+{key_id(ORIGIN, material).hex()}+{encoded}"


# --- which key signs which size -------------------------------------------------------------


def _turn(size: int, old: str, new: str) -> dict[str, Any]:
    """A statement of `size` that stands in the tree it speaks of."""
    return {"says": [size, ROOT, old, new], "size": size, "root": ROOT}


def _refused(size: int, old: str, new: str, /, **tree: Any) -> dict[str, Any]:
    """A statement that stands in another tree, where `tree` says so."""
    return _turn(size, old, new) | {"error": "bad-signature"} | tree


def _keys(name: str, turns: list[dict[str, Any]], at: dict[int, str]) -> dict[str, Any]:
    epochs = [(0, FIRST)] + [(t["size"], t["says"][3]) for t in turns if "error" not in t]
    return {
        "name": f"keys, {name}",
        "first": FIRST,
        "turns": turns,
        "at": [list(pair) for pair in at.items()],
        "lines": "".join(f"{size} {key}\n" for size, key in epochs),
    }


def _epochs() -> list[dict[str, Any]]:
    once, twice = [_turn(8, FIRST, SECOND)], [_turn(8, FIRST, SECOND), _turn(20, SECOND, THIRD)]
    return [
        _keys("never rotated", [], {0: FIRST, 1: FIRST, LARGEST: FIRST}),
        _keys("rotated once", once, {0: FIRST, 7: FIRST, 8: FIRST, 9: SECOND, LARGEST: SECOND}),
        _keys("rotated twice", twice, {8: FIRST, 9: SECOND, 20: SECOND, 21: THIRD}),
        _keys("rotated before the first entry", [_turn(0, FIRST, SECOND)], {0: FIRST, 1: SECOND}),
        _keys(
            "rotated twice in a row",
            [_turn(8, FIRST, SECOND), _turn(9, SECOND, THIRD)],
            {8: FIRST, 9: SECOND, 10: THIRD},
        ),
    ]


def _refused_turns() -> list[dict[str, Any]]:
    once = _turn(8, FIRST, SECOND)
    wrong = {
        "by a key of nobody": _refused(9, FOREIGN, THIRD),
        "by a key that had its time": _refused(9, FIRST, THIRD),
        "of a size before": _refused(9, SECOND, THIRD, size=10),
        "of a size to come": _refused(10, SECOND, THIRD, size=9),
        "of another tree": _refused(9, SECOND, THIRD, root=OTHER_ROOT),
        "back to the first key": _refused(9, SECOND, FIRST),
    }
    at = {8: FIRST, 9: SECOND, LARGEST: SECOND}
    return [_keys(f"refused, {name}", [once, turn], at) for name, turn in wrong.items()]


def _lines() -> list[dict[str, Any]]:
    wrong = {
        "nothing": "",
        "no line end": f"0 {FIRST}",
        "a first size that is not 0": f"1 {FIRST}\n",
        "a size in another spelling": f"00 {FIRST}\n",
        "no size": f"{FIRST}\n",
        "no key": "0 \n",
        "an empty line": f"0 {FIRST}\n\n",
        "two spaces": f"0  {FIRST}\n",
    }
    return [
        {"name": f"lines, {name}", "lines": lines, "error": "malformed"}
        for name, lines in wrong.items()
    ]
