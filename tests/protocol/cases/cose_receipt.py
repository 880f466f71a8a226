"""COSE Receipts of inclusion and of consistency, as cbor2 and cryptography make them."""

from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.checkpoint import ORIGIN, SEED, key_id, public, vkey
from tests.protocol.cases.merkle import ENTRIES

ENTRY = oracles.cbor([b"leaf", bytes(16), b"body"])
KEY_ID = key_id(ORIGIN, b"\x01" + public(SEED))
PROTECTED: dict[int, Any] = {1: -19, 4: KEY_ID, 15: {1: ORIGIN}, 395: 1, -65537: 8}


def root(size: int) -> bytes:
    return oracles.root(ENTRIES[:size])


def inclusion(index: int, size: int) -> bytes:
    return oracles.cbor([size, index, oracles.inclusion(index, ENTRIES[:size])])


def consistency(old: int, size: int) -> bytes:
    return oracles.cbor([old, size, oracles.consistency(old, ENTRIES[:size])])


def receipt(
    unprotected: Any, size: int = 8, *, signed: int | None = None, seed: bytes = SEED, **more: Any
) -> bytes:
    """Under the root of `signed`, where that is another than `size`."""
    protected = PROTECTED | {-65537: size} | more.get("protected", {})
    return oracles.cose_receipt(seed, protected, unprotected, root(signed or size))


def of_inclusion(index: int, size: int, entry: bytes = b"", **more: Any) -> bytes:
    fields: dict[int, Any] = {396: {-1: [inclusion(index, size)]}}
    return receipt(fields | ({-65538: entry} if entry else {}), size, **more)


def of_consistency(old: int, size: int, **more: Any) -> bytes:
    return receipt({396: {-2: [consistency(old, size)]}}, size, **more)


def cases() -> list[dict[str, Any]]:
    return [*_inclusions(), *_consistencies(), *_unproved(), *_misspelled()]


def _shown(name: str, data: bytes, **shown: Any) -> dict[str, Any]:
    return {"name": name, "hex": data.hex(), "vkey": vkey(ORIGIN), **shown}


def _inclusions() -> list[dict[str, Any]]:
    return [
        _shown(
            f"entry {index} of {size}",
            of_inclusion(index, size, ENTRY if index else b""),
            size=size,
            root=root(size).hex(),
            index=index,
            leaf=ENTRIES[index].hex(),
            path=[node.hex() for node in oracles.inclusion(index, ENTRIES[:size])],
            entry=ENTRY.hex() if index else "",
        )
        for size in (1, 2, 3, 7, 8)
        for index in sorted({0, size // 2, size - 1})
    ]


def _consistencies() -> list[dict[str, Any]]:
    return [
        _shown(
            f"{old} goes on as {new}",
            of_consistency(old, new),
            size=new,
            root=root(new).hex(),
            old_size=old,
            old_root=root(old).hex(),
            path=[node.hex() for node in oracles.consistency(old, ENTRIES[:new])],
        )
        for new in (2, 3, 7, 8)
        for old in sorted({1, new // 2, new - 1})
    ]


def _unproved() -> list[dict[str, Any]]:
    """Well spelled, and they prove nothing."""
    leaf = {"leaf": ENTRIES[5].hex()}
    held = {"old_size": 5, "old_root": root(5).hex()}
    other = vkey(ORIGIN, bytes(32))
    # the same path, one size less: the root is the same, and RFC 9942 alone would not notice
    moved = [2, 1, oracles.inclusion(2, ENTRIES[:3])]
    return [
        _shown("another leaf", of_inclusion(5, 8), leaf=ENTRIES[4].hex(), error="bad-signature"),
        _shown("another root", of_inclusion(5, 8, signed=7), **leaf, error="bad-signature"),
        _shown("another signer", of_inclusion(5, 8, seed=bytes(32)), **leaf, error="bad-signature"),
        _shown("another key", of_inclusion(5, 8), **leaf, error="bad-signature") | {"vkey": other},
        _shown("an index of another tree", _resized(moved), leaf=ENTRIES[2].hex(),
               error="bad-signature"),
        _shown("of consistency for an entry", of_consistency(5, 8), **leaf, error="malformed"),
        _shown("of an entry for consistency", of_inclusion(5, 8), **held, error="malformed"),
        _shown("another old size", of_consistency(6, 8), **held, error="malformed"),
        _shown("another old root", of_consistency(5, 8), old_size=5, old_root=root(4).hex(),
               error="malformed"),
        _shown("another origin", of_consistency(5, 8, protected={15: {1: "b"}}), **held,
               error="malformed"),
        _shown("another new root", of_consistency(5, 8, signed=7), **held, error="bad-signature"),
        _shown("the entry past the end", of_inclusion(5, 8, protected={-65537: 5}), **leaf,
               error="malformed"),
    ]  # fmt: skip


def _resized(fields: list[Any]) -> bytes:
    """A receipt of 3, whose size is said to be 2 where it is not signed and where it is."""
    signed = receipt({396: {-1: [oracles.cbor(fields)]}}, 3)
    header = oracles.cbor(PROTECTED | {-65537: 3})
    return signed.replace(header, oracles.cbor(PROTECTED | {-65537: 2}))


def _misspelled() -> list[dict[str, Any]]:
    proof = inclusion(5, 8)
    _, index, path = 8, 5, oracles.inclusion(5, ENTRIES)
    headers: dict[str, Any] = {
        "no proofs": {},
        "proofs in an array": {396: [proof]},
        "two proofs": {396: {-1: [proof, proof]}},
        "no proof": {396: {-1: []}},
        "a proof of two parts": {396: {-1: [oracles.cbor([8, index])]}},
        "a proof in a map": {396: {-1: [oracles.cbor({1: 8, 2: index, 3: path})]}},
        "both kinds": {396: {-1: [proof], -2: [consistency(5, 8)]}},
        "another kind": {396: {-3: [proof]}},
        "another size in the proof": {396: {-1: [oracles.cbor([9, index, path])]}},
        "an index that is true": {396: {-1: [oracles.cbor([8, True, path])]}},
        "an index below 0": {396: {-1: [oracles.cbor([8, -1, path])]}},
        "an index over 63 bits": {396: {-1: [oracles.cbor([8, 1 << 63, path])]}},
        "a path of 64 hashes": {396: {-1: [oracles.cbor([8, index, [bytes(32)] * 64])]}},
        "a path of a short hash": {396: {-1: [oracles.cbor([8, index, [bytes(31)]])]}},
        "a path of numbers": {396: {-1: [oracles.cbor([8, index, [1]])]}},
        "a path that is bytes": {396: {-1: [oracles.cbor([8, index, path[0]])]}},
        "a parameter more": {396: {-1: [proof]}, 4: b"kid"},
        "an entry of nothing": {396: {-1: [proof]}, -65538: b""},
        "an entry of text": {396: {-1: [proof]}, -65538: "entry"},
        "an entry beside a consistency": {396: {-2: [consistency(5, 8)]}, -65538: ENTRY},
    }
    protected: dict[str, tuple[str, dict[int, Any]]] = {
        "algorithm EdDSA": ("unsupported", {1: -8}),
        "algorithm ES256": ("unsupported", {1: -7}),
        "no data structure": ("unsupported", {395: None}),
        "another data structure": ("unsupported", {395: 2}),
        "a data structure that is true": ("malformed", {395: True}),
        "no key id": ("malformed", {4: None}),
        "no issuer": ("malformed", {15: {}}),
        "an issuer of bytes": ("malformed", {15: {1: b"origin"}}),
        "a claim more": ("malformed", {15: {1: ORIGIN, 2: "subject"}}),
        "no size": ("malformed", {-65537: None}),
        "a size of text": ("malformed", {-65537: "8"}),
        "a protected parameter more": ("malformed", {3: 0}),
    }
    good = of_inclusion(5, 8, ENTRY)
    bytes_: dict[str, bytes] = {
        "nothing": b"",
        "no tag": good[1:],
        "another tag": b"\xd1" + good[1:],
        "a tag in two bytes": b"\xd8\x12" + good[1:],
        "cut": good[:-1],
        "a byte more": good + b"\x00",
        "no array": b"\xd2\xa0",
        "three parts": b"\xd2" + oracles.cbor([b"", {}, None]),
        "a header that is no map": b"\xd2" + oracles.cbor([b"\x80", {}, None, bytes(64)]),
        "a header that is not wrapped": b"\xd2" + oracles.cbor([{}, {}, None, bytes(64)]),
        "a signature of text": b"\xd2"
        + oracles.cbor([oracles.cbor(PROTECTED), {396: {-1: [proof]}}, None, "signature"]),
        "an attached payload": b"\xd2"
        + oracles.cbor([oracles.cbor(PROTECTED), {396: {-1: [proof]}}, root(8), bytes(64)]),
    }
    return [
        *(_bad(n, receipt(fields)) for n, fields in headers.items()),
        _bad("a proof that is not wrapped", receipt({396: {-1: [[8, index, path]]}}), "too-large"),
        _bad("a bare number for a proof", receipt({396: {-1: [8]}})),
        *(_bad(n, of_inclusion(5, 8, protected=p), r) for n, (r, p) in protected.items()),
        *(_bad(n, data) for n, data in bytes_.items()),
    ]


def _bad(name: str, data: bytes, reason: str = "malformed") -> dict[str, Any]:
    return {"name": f"misspelled, {name}", "hex": data.hex(), "error": reason}
