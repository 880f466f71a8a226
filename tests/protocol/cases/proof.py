"""Proofs of one entry: the text of C2SP tlog-proof, the entry in it, and where its path leads."""

import base64
from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.checkpoint import ORIGIN, signature
from tests.protocol.cases.merkle import ENTRIES

HASH = base64.b64encode(bytes(range(32))).decode()


def note(size: int) -> str:
    root = base64.b64encode(oracles.root(ENTRIES[:size])).decode()
    body = f"{ORIGIN}\n{size}\n{root}\n"
    return f"{body}\n{signature(body)}\n"


def proof(index: int, size: int, extra: bytes = b"") -> str:
    return oracles.tlog_proof(index, oracles.inclusion(index, ENTRIES[:size]), note(size), extra)


def cases() -> list[dict[str, Any]]:
    return [*_good(), *_elsewhere(), *_misspelled(), *_entries()]


def _good() -> list[dict[str, Any]]:
    return [
        _checked(f"entry {index} of {size}", index, size, extra)
        for size in range(1, 9)
        for index, extra in enumerate([b"", b"\x00", b"opaque", bytes(100)][: min(size, 4)])
    ] + [_checked(f"the last of {size}", size - 1, size, b"x") for size in range(5, 9)]


def _checked(name: str, index: int, size: int, extra: bytes = b"") -> dict[str, Any]:
    return {
        "name": name,
        "text": proof(index, size, extra),
        "extra": extra.hex(),
        "index": index,
        "path": [node.hex() for node in oracles.inclusion(index, ENTRIES[:size])],
        "note": note(size),
        "leaf": ENTRIES[index].hex(),
        "size": size,
        "root": oracles.root(ENTRIES[:size]).hex(),
    }


def _elsewhere() -> list[dict[str, Any]]:
    """Well spelled, and they prove nothing."""
    path = oracles.inclusion(5, ENTRIES)
    texts = {
        "another leaf": ("tampered", proof(5, 8), 4),
        "another index": ("tampered", oracles.tlog_proof(4, path, note(8)), 5),
        "another size": ("malformed", oracles.tlog_proof(5, path, note(6)), 5),
        "an index past the end": ("malformed", oracles.tlog_proof(8, path, note(8)), 5),
        "a path in reverse": ("tampered", oracles.tlog_proof(5, path[::-1], note(8)), 5),
        "a path too short": ("malformed", oracles.tlog_proof(5, path[:-1], note(8)), 5),
        "a path too long": ("malformed", oracles.tlog_proof(5, [*path, path[0]], note(8)), 5),
        "no path": ("malformed", oracles.tlog_proof(5, [], note(8)), 5),
        "a tree of nothing": ("malformed", oracles.tlog_proof(0, [], note(0)), 0),
    }
    return [
        {"name": f"checked, {name}", "text": text, "leaf": ENTRIES[leaf].hex(), "error": reason}
        for name, (reason, text, leaf) in texts.items()
    ]


def _misspelled() -> list[dict[str, Any]]:
    good = proof(5, 8, b"opaque")
    head, rest = good.split("\n", 1)
    extra, lines = rest.split("\n", 1)
    wrong = {
        "nothing": "",
        "no head": rest,
        "another version": good.replace("@v1", "@v2"),
        "a head with a space": good.replace("@v1", "@v1 "),
        "a line before": "\n" + good,
        "line ends of two letters": good.replace("\n", "\r\n"),
        "no index": f"{head}\n{extra}\n{lines.split(chr(10), 1)[1]}",
        "nothing but a head": f"{head}\n\n{note(8)}",
        "an index after the path": f"{head}\n{HASH}\nindex 5\n\n{note(8)}",
        "the extra line after the index": f"{head}\nindex 5\n{extra}\n\n{note(8)}",
        "two extra lines": good.replace(extra, f"{extra}\n{extra}"),
        "an extra line without anything": good.replace(extra, "extra "),
        "an extra line that is not base64": good.replace(extra, "extra ????"),
        "an extra line without padding": good.replace(extra, "extra b3Bh="),
        "an extra line with two spaces": good.replace("extra ", "extra  "),
        "a path that is not base64": good.replace("index 5", f"index 5\n{HASH[:-1]}!"),
        "a path of a short hash": good.replace("index 5", f"index 5\n{HASH[:-4]}"),
        "a path of 64 hashes": good.replace("index 5", "index 5" + f"\n{HASH}" * 61),
        "a space after a hash": good.replace("\n\n", " \n\n", 1),
        "no blank line": good.replace("\n\n", "\n", 1),
        "two blank lines": good.replace("\n\n", "\n\n\n", 1),
        "no note": good.split("\n\n")[0] + "\n\n",
        "a note without a signature": good[: good.index("\u2014")],
        "a note of a line more": good.replace(f"{ORIGIN}\n8\n", f"{ORIGIN}\n8\n8\n"),
        "anything after the note": good + "\n",
        "cut": good[:-1],
    }
    indexes = ("05", "-5", "+5", "", " 5", "5 ", "0x5", "5.0", "9223372036854775808")
    wrong |= {f"index spelled {i!r}": good.replace("index 5", f"index {i}") for i in indexes}
    return [
        {"name": f"misspelled, {name}", "text": text, "leaf": "", "error": "malformed"}
        for name, text in wrong.items()
    ]


def _entries() -> list[dict[str, Any]]:
    good: dict[str, list[Any]] = {
        "whole": [b"leaf", bytes(16), b"body"],
        "an empty body": [b"leaf", bytes(16), b""],
        "its body deleted": [b"leaf", b"", None],
    }
    wrong: dict[str, Any] = {
        "a salt without its body": [b"leaf", bytes(16), None],
        "two parts": [b"leaf", b"salt"],
        "four parts": [b"leaf", b"salt", b"body", b"more"],
        "a map": {1: b"leaf", 2: b"salt", 3: b"body"},
        "a leaf of text": ["leaf", b"salt", b"body"],
        "no salt": [b"leaf", None, b"body"],
        "a body of text": [b"leaf", b"salt", "body"],
    }
    shown = [
        {"name": f"entry, {name}", "entry": oracles.cbor(parts).hex(),
         "parts": [part if part is None else part.hex() for part in parts]}
        for name, parts in good.items()
    ]  # fmt: skip
    return shown + [
        {"name": f"entry, {name}", "entry": oracles.cbor(parts).hex(), "error": "malformed"}
        for name, parts in wrong.items()
    ]
