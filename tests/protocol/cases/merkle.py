"""Merkle tree: the eight leaves every RFC 6962 implementation is tested with, and bad proofs."""

from typing import Any

from tests.protocol import oracles

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
          "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
ENTRIES = [bytes.fromhex(leaf) for leaf in LEAVES]

# Well known since RFC 6962: a mistake of the reference in `oracles` shows here.
PUBLISHED_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def cases() -> list[dict[str, Any]]:
    return _roots() + _inclusions() + _consistencies() + _bad_inclusions() + _bad_consistencies()


def _root(size: int) -> str:
    return oracles.root(ENTRIES[:size]).hex()


def _roots() -> list[dict[str, Any]]:
    for size, published in PUBLISHED_ROOTS.items():
        assert _root(size) == published
    return [
        {"name": f"root of {size}", "leaves": LEAVES[:size], "root": _root(size)}
        for size in range(9)
    ]


def _inclusion(index: int, size: int) -> dict[str, Any]:
    return {
        "name": f"leaf {index} of {size}",
        "index": index,
        "size": size,
        "leaf": LEAVES[index],
        "proof": [node.hex() for node in oracles.inclusion(index, ENTRIES[:size])],
        "root": _root(size),
    }


def _inclusions() -> list[dict[str, Any]]:
    return [_inclusion(index, size) for size in range(1, 9) for index in range(size)]


def _consistency(old: int, new: int) -> dict[str, Any]:
    return {
        "name": f"{old} is the start of {new}",
        "old_size": old,
        "new_size": new,
        "old_root": _root(old),
        "new_root": _root(new),
        "proof": [node.hex() for node in oracles.consistency(old, ENTRIES[:new])],
        "consistent": True,
    }


def _consistencies() -> list[dict[str, Any]]:
    return [_consistency(old, new) for new in range(9) for old in range(new + 1)]


def _mangled(proof: list[str]) -> dict[str, list[str]]:
    wrong = {"too long": [*proof, "00" * 32], "first hash twice": proof[:1] + proof}
    if proof:
        flipped = bytes([bytes.fromhex(proof[-1])[0] ^ 1]).hex() + proof[-1][2:]
        wrong |= {"too short": proof[:-1], "last hash flipped": [*proof[:-1], flipped]}
        wrong |= {"in reverse": proof[::-1]} if len(proof) > 1 else {}
        wrong |= {"none": []} if len(proof) > 1 else {}
    return {how: changed for how, changed in wrong.items() if changed != proof}


def _bad_inclusions() -> list[dict[str, Any]]:
    bad = []
    for index, size in [(0, 1), (0, 8), (5, 8), (2, 3), (6, 7)]:
        good = _inclusion(index, size)
        for how, proof in _mangled(good["proof"]).items():
            wrong_length = len(proof) != len(good["proof"])
            verdict = {"error": "malformed"} if wrong_length else {"wrong_root": True}
            bad.append(good | {"name": f"{good['name']}, {how}", "proof": proof} | verdict)
    good = _inclusion(3, 8)
    for index, size in [(8, 8), (0, 0), (-1, 8), (1 << 63, 8)]:
        wrong = {"name": f"leaf {index} of {size}", "index": index, "size": size}
        bad.append(good | wrong | {"error": "malformed"})
    return bad


def _bad_consistencies() -> list[dict[str, Any]]:
    bad = []
    for old, new in [(0, 8), (8, 8), (1, 8), (2, 5), (3, 7), (4, 8), (6, 8), (7, 8)]:
        good = _consistency(old, new)
        for how, proof in _mangled(good["proof"]).items():
            name = f"{good['name']}, {how}"
            bad.append(good | {"name": name, "proof": proof, "consistent": False})
    good = _consistency(3, 7)
    changes: dict[str, dict[str, Any]] = {
        "sizes exchanged": {"old_size": 7, "new_size": 3},
        "another old root": {"old_root": _root(2)},
        "another new root": {"new_root": _root(8)},
        "negative old size": {"old_size": -1},
        "same sizes, different roots": {"old_size": 7, "proof": []},
        "both empty, one root is not": {"old_size": 0, "new_size": 0, "proof": []},
    }
    return bad + [good | {"name": n, "consistent": False} | c for n, c in changes.items()]
