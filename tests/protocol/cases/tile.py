"""Tiles: their paths in the one spelling, what fits a tree, and entry bundles (C2SP tlog-tiles)."""

from typing import Any

HASH = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def cases() -> list[dict[str, Any]]:
    return [*_paths(), *_bad_paths(), *_fits(), *_bundles(), *_hashes()]


def _paths() -> list[dict[str, Any]]:
    good = {
        "tile/0/x001/x234/067": [0, 1234067, 256],  # the example of the specification
        "tile/0/x001/x234/067.p/1": [0, 1234067, 1],
        "tile/0/000": [0, 0, 256],
        "tile/0/000.p/255": [0, 0, 255],
        "tile/1/x001/000": [1, 1000, 256],
        "tile/63/999": [63, 999, 256],
        "tile/entries/x273/000.p/112": [-1, 273000, 112],
        "tile/entries/067": [-1, 67, 256],
        "tile/0/x009/x223/x372/x036/x854/x775/807": [0, (1 << 63) - 1, 256],
    }
    return [{"name": path, "path": path, "tile": tile} for path, tile in good.items()]


def _bad_paths() -> list[dict[str, Any]]:
    bad = [
        "", "tile", "tile/0", "tile/0/", "tile//000", "/tile/0/000", "tile/0/000/", "tiles/0/000",
        "tile/00/000", "tile/64/000", "tile/-1/000", "tile/+1/000", "tile/data/000", "tile/x/000",
        "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/067", "tile/0/001/067",
        "tile/0/x001/x234/x067", "tile/0/x1/067", "tile/0/X001/067", "tile/0/x001/0x7",
        "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/256",
        "tile/0/000.p/-1", "tile/0/000.p/5/", "tile/0/000/5", "tile/0/x001.p/067", "tile/0.p/5",
        "tile/0/000.p/5.p/5", "tile/0/٠٠٠", "tile/0/x001//067", "tile/Entries/000",
        "tile/0/x009/x223/x372/x036/x854/x775/808", "tile/0/x" + "/x".join(["001"] * 30) + "/000",
    ]  # fmt: skip
    return [{"name": f"no tile: {path!r}", "path": path, "error": "malformed"} for path in bad]


def _fits() -> list[dict[str, Any]]:
    # sizes of the specification's text: 70,000 and 256 entries
    trees: dict[int, tuple[list[list[int]], list[list[int]]]] = {
        70_000: (
            [[0, 272, 256], [0, 273, 112], [1, 0, 256], [1, 1, 17], [2, 0, 1], [-1, 273, 112]],
            [[0, 273, 113], [0, 274, 1], [1, 1, 18], [2, 0, 2], [3, 0, 1], [-1, 273, 113]],
        ),
        256: ([[0, 0, 256], [1, 0, 1]], [[0, 1, 1], [1, 0, 2], [2, 0, 1]]),
        1: ([[0, 0, 1], [-1, 0, 1]], [[0, 0, 2], [1, 0, 1], [-1, 0, 2]]),
        0: ([], [[0, 0, 1], [63, 0, 1], [-1, 0, 1]]),
    }
    return [
        {"name": f"{tile} in {size}", "size": size, "tile": tile, "fits": fits}
        for size, sides in trees.items()
        for fits, tiles in zip((True, False), sides, strict=True)
        for tile in tiles
    ]


def _bundles() -> list[dict[str, Any]]:
    good = {
        "no leaves": ([], ""),
        "one leaf": (["0102"], "00020102"),
        "an empty leaf between two": (["61", "", "62"], "000161" + "0000" + "000162"),
        "256 leaves": (["ff"] * 256, "0001ff" * 256),
    }
    bad = {
        "half a length": "00",
        "a leaf cut": "00020102" + "000201",
        "a length alone": "0001",
        "257 leaves": "0001ff" * 257,
    }
    return [
        *({"name": f"bundle, {n}", "leaves": v[0], "bundle": v[1]} for n, v in good.items()),
        *({"name": f"bundle, {n}", "bundle": v, "error": "malformed"} for n, v in bad.items()),
    ]


def _hashes() -> list[dict[str, Any]]:
    bad = {"none": "", "half a hash": HASH[:32], "one and a byte": f"{HASH}00", "257": HASH * 257}
    return [
        *({"name": f"{n} hashes", "hashes": HASH * n, "count": n} for n in (1, 2, 256)),
        *({"name": f"hashes, {n}", "hashes": v, "error": "malformed"} for n, v in bad.items()),
    ]
