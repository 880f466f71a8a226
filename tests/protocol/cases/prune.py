"""Prunes: which bodies were deleted, and which entries a record does not speak of."""

from typing import Any

from tests.protocol import oracles

GOOD: dict[int, Any] = {1: 4, 2: 9, 3: "pack", 4: "shed", 5: "retention", 6: 3, 7: 421}
ANY: dict[int, Any] = {1: 0, 2: 1 << 32, 5: "redaction", 6: 0, 7: 0}
KEPT = ("enrolled", "revoked", "rotated", "recovered", "fault", "pruned")


def cases() -> list[dict[str, Any]]:
    return [*_good(), *_bad(), *_together()]


def _good() -> list[dict[str, Any]]:
    inside, outside = [4, 5, 8], [0, 3, 9, 1 << 40]
    spared = [[index, "pack", "shed"] for index in outside]
    others = [[5, "alert", "shed"], [5, "pack", "cellar"], [5, "alert", "cellar"]]
    return [
        _case("of a device and a kind", GOOD,
              [[index, "pack", "shed"] for index in inside], spared + others),
        _case("of a kind", _without(GOOD, 4),
              [[5, "pack", "shed"], [5, "pack", "cellar"]], [*spared, [5, "alert", "shed"]]),
        _case("of a device", _without(GOOD, 3),
              [[5, "pack", "shed"], [5, "alert", "shed"]], [*spared, [5, "pack", "cellar"]]),
        _case("of everything", ANY,
              [[0, "pack", ""], [7, "a kind to come", "shed"]],
              [[1, kind, "shed"] for kind in KEPT]),
        _case("of a kind that is always kept", GOOD | {3: "rotated"}, [], [[5, "rotated", "shed"]]),
        _case("of nothing", GOOD | {1: 9, 6: 0, 7: 0}, [], [[9, "pack", "shed"], *spared]),
    ]  # fmt: skip


def _case(
    name: str, fields: dict[int, Any], covered: list[list[Any]], spared: list[list[Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "fields": [fields.get(label) for label in range(1, 8)],
        "covered": covered,
        "spared": spared,
        "hex": oracles.cbor(fields).hex(),
    }


def _without(fields: dict[int, Any], label: int) -> dict[int, Any]:
    return {held: value for held, value in fields.items() if held != label}


def _bad() -> list[dict[str, Any]]:
    wrong: dict[str, Any] = {
        "an array": [4, 9],
        "text": "pruned",
        "no start": _without(GOOD, 1),
        "no end": _without(GOOD, 2),
        "no reason": _without(GOOD, 5),
        "no count": _without(GOOD, 6),
        "no bytes": _without(GOOD, 7),
        "an end before its start": GOOD | {2: 3},
        "a start below zero": GOOD | {1: -1},
        "a start that is true": GOOD | {1: True},
        "an end that is false": GOOD | {1: 0, 2: False},
        "a count of text": GOOD | {6: "3"},
        "bytes below zero": GOOD | {7: -1},
        "another reason": GOOD | {5: "because"},
        "a kind of bytes": GOOD | {3: b"pack"},
        "a source that is null": GOOD | {4: None},
        "a source that is a number": GOOD | {4: 1},
        "another label": GOOD | {8: 0},
        "a label of text": GOOD | {"why": "retention"},
    }
    cases = [
        {"name": name, "hex": oracles.cbor(fields).hex(), "error": "malformed"}
        for name, fields in wrong.items()
    ]
    return [*cases, {"name": "cut", "hex": oracles.cbor(GOOD)[:-1].hex(), "error": "malformed"}]


# --- several together -----------------------------------------------------------------------

SEVERAL: dict[str, list[list[Any]]] = {
    "none": [],
    "one": [[2, 5, "pack", "shed", "retention", 1, 1]],
    "of nothing": [[2, 2, None, None, "retention", 0, 0]],
    "in any order, apart, touching and inside": [
        [8, 9, None, None, "retention", 1, 1],
        [0, 2, None, None, "retention", 1, 1],
        [4, 6, None, None, "retention", 1, 1],
        [2, 3, None, None, "retention", 1, 1],
        [4, 5, None, None, "retention", 1, 1],
    ],
    "that close two gaps": [
        [0, 1, None, None, "retention", 1, 1],
        [3, 4, None, None, "retention", 1, 1],
        [6, 7, None, None, "retention", 1, 1],
        [1, 6, None, None, "retention", 1, 1],
    ],
    "of kinds and sources": [
        [0, 3, "pack", None, "retention", 1, 1],
        [2, 6, None, "shed", "retention", 1, 1],
        [5, 8, "pack", "shed", "redaction", 1, 1],
        [7, 9, None, None, "redaction", 1, 1],
    ],
}
ASKED = [(kind, source) for kind in ("pack", "alert", "rotated") for source in ("shed", "cellar")]


def _together() -> list[dict[str, Any]]:
    return [{"name": f"together, {name}", "prunes": prunes, "asked": _asked(prunes)}
            for name, prunes in SEVERAL.items()]  # fmt: skip


def _asked(prunes: list[list[Any]]) -> list[list[Any]]:
    """[kind, source, whys, is it covered at 0, 1, ... 11] as one looks at each prune."""
    return [
        [kind, source, whys, [
            any(
                start <= index < stop and why in whys and kind not in KEPT
                and held_kind in (None, kind) and held_source in (None, source)
                for start, stop, held_kind, held_source, why, *_ in prunes
            )
            for index in range(12)
        ]]
        for kind, source in ASKED
        for whys in (["retention", "redaction"], ["redaction"])
    ]  # fmt: skip
