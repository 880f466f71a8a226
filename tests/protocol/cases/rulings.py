"""Rulings: what rotations and prunes make of the entries and checkpoints around them."""

from typing import Any

from tests.protocol import oracles
from tests.protocol.cases import leaf as leaves
from tests.protocol.cases.checkpoint import ORIGIN, signature, vkey
from tests.protocol.cases.rotation import FIRST, FOREIGN, SECOND, SEEDS, THIRD, signed, text

Entry = list[Any]  # kind, source, leaf, salt, body or None; bytes as hex
KEPT = ("enrolled", "revoked", "rotated", "recovered", "fault", "pruned")


def cases() -> list[dict[str, Any]]:
    found = [*_sound(), *_wrong_bodies(), *_wrong_prunes(), *_shown_apart(), *_copies()]
    return [*found, *_rotations(), *_notes()]


def entry(index: int, kind: str, source: str, body: bytes, *, is_there: bool = True) -> Entry:
    salt = bytes([index]) * 16
    data = leaves.encoded(kind, 1 << 40, 1, source, salt, body)
    return [kind, source, data.hex(), salt.hex(), body.hex() if is_there else None]


def _ledger(*entries: tuple[Any, ...]) -> list[Entry]:
    """Each is (kind, source, body) or (kind, source, body, False) where the body is missing."""
    return [
        entry(index, *fields[:3], is_there=len(fields) == 3) for index, fields in enumerate(entries)
    ]


def prune(
    start: int, stop: int, kind: str | None, source: str | None, why: str = "retention"
) -> tuple[str, str, bytes]:
    fields = {1: start, 2: stop, 3: kind, 4: source, 5: why, 6: 1, 7: 4}
    body = oracles.cbor({label: value for label, value in fields.items() if value is not None})
    return ("pruned", "", body)


THERE = ("pack", "shed", b"body")
GONE = (*THERE, False)
OTHER = ("pack", "cellar", b"body")
ENROLLED = ("enrolled", "shed", b"{}")


def _case(name: str, entries: list[Entry], **expected: Any) -> dict[str, Any]:
    return {"name": name, "entries": entries} | expected


def _bad(name: str, first_bad: int, words: str, *entries: Any, **more: Any) -> dict[str, Any]:
    return _case(name, _ledger(*entries), first_bad=first_bad, words=words, **more)


def _sound() -> list[dict[str, Any]]:
    shed = prune(0, 2, "pack", "shed")
    return [
        _case("nothing at all", []),
        _case("nothing deleted", _ledger(THERE, OTHER, ENROLLED)),
        _case("a device's packs deleted", _ledger(GONE, OTHER, shed)),
        _case("all packs deleted", _ledger(GONE, (*OTHER, False), prune(0, 2, "pack", None))),
        _case("a device deleted", _ledger(GONE, OTHER, prune(0, 2, None, "shed"))),
        _case("everything but what is kept",
              _ledger(GONE, ENROLLED, (*OTHER, False), prune(0, 3, None, None))),
        _case("in two prunes that touch",
              _ledger(GONE, GONE, prune(0, 1, None, None), prune(1, 2, None, None))),
        _case("in two prunes apart",
              _ledger(GONE, THERE, GONE, prune(2, 3, None, None), prune(0, 1, None, None))),
        _case("twice", _ledger(GONE, GONE, shed, shed)),
        _case("a prune of nothing", _ledger(THERE, prune(1, 1, None, None))),
    ]  # fmt: skip


def _wrong_bodies() -> list[dict[str, Any]]:
    shed = prune(0, 3, "pack", "shed")
    nobody = "the body is missing, and no entry says who deleted it"
    back = "the body is there, although entry {} says that it was deleted"
    return [
        _bad("a body that came back", 1, back.format(3), GONE, THERE, OTHER, shed),
        _bad("a body that came back, said twice", 0, back.format(2),
             THERE, GONE, prune(0, 1, None, None), prune(0, 2, None, None)),
        _bad("a body that came back, ranges that touch", 1, back.format(3),
             GONE, THERE, prune(0, 1, None, None), prune(1, 2, None, None)),
        _bad("a body that came back, beside other prunes", 0, back.format(3),
             THERE, OTHER, prune(0, 2, None, "roof"), shed),
        _bad("a body that nobody deleted", 0, nobody, GONE),
        _bad("a body of another device", 1, nobody, GONE, (*OTHER, False), GONE, shed),
        _bad("a body of another kind", 0, nobody, ("alert", "shed", b"x", False), GONE, GONE, shed),
        _bad("a body behind the range", 1, nobody, GONE, GONE, prune(0, 1, None, None)),
        _bad("a body before the range", 0, nobody, GONE, GONE, prune(1, 2, None, None)),
        *(_bad(f"a body of a kind that is kept, {kind}", 0, nobody,
               (kind, "shed", b"x", False), prune(0, 1, None, None))
          for kind in KEPT if kind not in ("rotated", "pruned")),
    ]  # fmt: skip


def _wrong_prunes() -> list[dict[str, Any]]:
    none = ("pruned", "", b"nothing we know")
    to_come = "a prune of entries that were still to come"
    missing = "the body is missing, which an entry of this kind keeps"
    wrong = [
        _bad("a prune that says nothing", 1, "", THERE, none),
        _bad("a prune that says nothing, with a body missing before it", 1, "", GONE, none),
        _bad("a prune of itself", 1, to_come, GONE, prune(0, 2, None, None)),
        _bad("a prune of what is to come", 0, to_come, prune(0, 9, None, None), THERE),
        _bad("a prune without its body", 1, missing, THERE, (*prune(0, 1, None, None), False)),
        _bad("a prune whose body a prune deleted", 1, missing,
             GONE, (*prune(0, 1, None, None), False), prune(0, 2, None, None)),
    ]  # fmt: skip
    changed = _ledger(GONE, prune(0, 1, None, None))
    changed[1][4] = prune(0, 1, "pack", None)[2].hex()
    words = "the body is not the one in the leaf"
    return [*wrong, _case("a prune that was changed", changed, first_bad=1, words=words)]


def _shown_apart() -> list[dict[str, Any]]:
    """`ahead` is what was shown of the rulings, where that is not what stands in the ledger."""
    gone, packs = _ledger(GONE, OTHER, prune(0, 1, None, None)), _ledger(GONE, OTHER, THERE)
    there = _ledger(THERE, OTHER, prune(0, 0, None, None))
    turned, plain = _rotated(_more([]), 0, 1), _ledger(THERE, THERE)
    nonsense = _ledger(THERE, ("rotated", "", b"nonsense"))
    other_kind = _ledger(GONE, prune(0, 1, None, None))
    other_kind[1] = [
        *other_kind[1][:2],
        *_ledger(THERE, ("pack", "", prune(0, 1, None, None)[2]))[1][2:],
    ]
    not_those = "the {} entries that were shown first are not those of the ledger"
    wrong: list[tuple[str, list[Entry], list[Entry], int, str]] = [
        ("a prune that is no entry", gone, packs, 0, not_those.format("pruned")),
        ("a prune that is left out", packs, there, 0, not_those.format("pruned")),
        ("a rotation that is no entry", turned, plain, 0, not_those.format("rotated")),
        ("a rotation that is left out", plain, turned, 1, "signed in another place"),
        (
            "a rotation that says nothing and is no entry",
            nonsense,
            plain,
            0,
            not_those.format("rotated"),
        ),
        ("a prune whose leaf is a pack's", other_kind, other_kind, 1, "of another kind"),
    ]
    return [
        _case(f"shown first, {name}", entries, ahead=ahead, first_bad=first_bad, words=words)
        for name, ahead, entries, first_bad, words in wrong
    ]


def _copies() -> list[dict[str, Any]]:
    kept, gone = prune(0, 2, None, None), prune(0, 2, None, None, "redaction")
    words = "the body is there, although entry 2 says that it was deleted"
    nobody = "the body is missing, and no entry says who deleted it"
    copy = {"is_copy": True}
    return [
        _case("copy, keeps what retention deleted", _ledger(THERE, OTHER, kept), **copy),
        _case("copy, never had what retention deleted", _ledger(GONE, OTHER, kept), **copy),
        _case("copy, the record is to follow", _ledger(GONE, GONE, OTHER), untold=2, **copy),
        _case("copy, follows a redaction", _ledger(GONE, (*OTHER, False), gone), **copy),
        _bad("copy, kept what was redacted", 1, words, GONE, THERE, gone, **copy),
        _bad("copy, kept what was redacted later", 0, words.replace("2", "3"),
             THERE, THERE, kept, prune(0, 1, "pack", None, "redaction"), **copy),
        _bad("copy, without a body that is kept", 0, nobody, (*ENROLLED, False), **copy),
    ]  # fmt: skip


# --- rotations, and whose checkpoints hold --------------------------------------------------


def _root(entries: list[Entry]) -> str:
    return oracles.root([bytes.fromhex(fields[2]) for fields in entries]).hex()


def _rotated(entries: list[Entry], old: int, new: int, **wrong: Any) -> list[Entry]:
    """`entries` and a rotation behind them."""
    says: dict[str, Any] = {"size": len(entries), "root": _root(entries)} | wrong
    body = text(**says, old=vkey(ORIGIN, SEEDS[old]), new=vkey(ORIGIN, SEEDS[new]))
    sealed = signed(body, SEEDS[old], SEEDS[new]).encode()
    return [*entries, entry(len(entries), "rotated", "", sealed)]


def _more(entries: list[Entry]) -> list[Entry]:
    return [*entries, entry(len(entries), *THERE)]


def _rotations() -> list[dict[str, Any]]:
    one = _rotated(_more([]), 0, 1)
    two = _rotated(_more(one), 1, 2)
    elsewhere = "a rotation that was signed in another place of the ledger"
    unsigned = _more([])
    unsigned.append(entry(1, "rotated", "", signed(text(1, _root(unsigned)), SEEDS[0]).encode()))
    missing = [*_more([]), [*one[1][:4], None]]
    wrong: list[tuple[str, list[Entry], int, str]] = [
        ("of another tree", _rotated(_more([]), 0, 1, root="00" * 32), 1, elsewhere),
        ("of another size", _rotated(_more([]), 0, 1, size=2), 1, elsewhere),
        ("without a signature", unsigned, 1, "no signature by"),
        ("without its body", missing, 1, "which an entry of this kind keeps"),
        ("by a key that had its time", _rotated(_more(one), 0, 2), 3, "not the current one"),
        ("back to the first key", _rotated(_more(one), 1, 0), 3, "that had its time"),
        ("behind a wrong one", _rotated(unsigned, 1, 2), 1, "no signature by"),
    ]
    return [
        _case("rotated once", _more(one), keys=[[0, FIRST], [1, SECOND]]),
        _case("rotated twice", two, keys=[[0, FIRST], [1, SECOND], [3, THIRD]]),
        _case("rotated before the first entry", _rotated([], 0, 1), keys=[[0, FIRST], [0, SECOND]]),
        *(
            _case(f"a rotation {name}", entries, first_bad=first_bad, words=words)
            for name, entries, first_bad, words in wrong
        ),
    ]


def _note(size: int, which: int) -> str:
    body = text(size).split("\n")[3]
    body = f"{ORIGIN}\n{size}\n{body}\n"
    return f"{body}\n{signature(body, ORIGIN, SEEDS[which])}\n"


def _notes() -> list[dict[str, Any]]:
    """[note, trusted key, index of the key that signed it or None, words of the refusal]."""
    one = _more(_rotated(_more([]), 0, 1))
    twice = _more(_rotated(one, 1, 2))
    early = _rotated([], 0, 1)
    broken = _more(_rotated(_more([]), 0, 1, size=2))
    name = [f"{ORIGIN}+{key.split('+')[1]}" for key in (FIRST, SECOND, THIRD, FOREIGN)]
    over = f"by {name[0]}, whose time ended with entry 1, a rotation"
    not_yet = f"by {name[1]}, whose time begins with entry 1, a rotation"
    return [
        _case("notes, rotated once", one, notes=[
            [_note(0, 0), FIRST, FIRST, ""],
            [_note(1, 0), FIRST, FIRST, ""],
            [_note(1, 0), SECOND, FIRST, ""],
            [_note(2, 1), FIRST, SECOND, ""],
            [_note(3, 1), SECOND, SECOND, ""],
            [_note(2, 0), FIRST, None, over],
            [_note(3, 0), SECOND, None, over],
            [_note(1, 1), FIRST, None, not_yet],
            [_note(3, 3), FIRST, None, f"no signature by {name[1]}"],
            [_note(3, 1), FOREIGN, None, f"{name[3]} is none of this ledger's keys"],
        ]),
        _case("notes, rotated twice", twice, notes=[
            [_note(4, 2), FIRST, THIRD, ""],
            [_note(3, 1), THIRD, SECOND, ""],
            [_note(4, 1), THIRD, None, f"by {name[1]}, whose time ended with entry 3, a rotation"],
            [_note(2, 2), FIRST, None, f"by {name[2]}, whose time begins with entry 3, a rotation"],
        ]),
        _case("notes, rotated before the first entry", early, notes=[
            [_note(0, 0), FIRST, FIRST, ""],
            [_note(1, 1), FIRST, SECOND, ""],
            [_note(1, 0), FIRST, None, f"by {name[0]}, whose time ended with entry 0, a rotation"],
        ]),
        _case("notes, never rotated", _more([]), notes=[
            [_note(1, 0), FIRST, FIRST, ""],
            [_note(1, 0), SECOND, None, f"no signature by {name[1]}"],
        ]),
        _case("notes, behind a rotation that does not hold", broken, first_bad=1, words="", notes=[
            [_note(1, 0), FIRST, FIRST, ""],
            [_note(2, 1), FIRST, None, ""],
        ]),
    ]  # fmt: skip
