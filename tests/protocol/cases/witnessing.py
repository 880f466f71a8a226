"""Requests to a witness and its judgements (C2SP tlog-witness)."""

import base64
from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.checkpoint import ORIGIN, signature, vkey
from tests.protocol.cases.cosignature import line

ENTRIES = [b"entry %d" % n for n in range(20)]
OTHERS = [*ENTRIES[:3], b"another", *ENTRIES[4:]]
EMPTY = oracles.root([])


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def body(size: int, entries: list[bytes] = ENTRIES, origin: str = ORIGIN) -> str:
    return f"{origin}\n{size}\n{b64(oracles.root(entries[:size]))}\n"


def note(text: str, *lines: str) -> str:
    return f"{text}\n" + "".join(f"{shown}\n" for shown in lines or (signature(text),))


def request(old: int, proof: list[bytes], signed: str) -> str:
    return f"old {old}\n" + "".join(f"{b64(node)}\n" for node in proof) + f"\n{signed}"


def growth(old: int, new: int, entries: list[bytes] = ENTRIES, sent: int | None = None) -> str:
    """The request that shows `new` to continue `old`."""
    proof = oracles.consistency(old, entries[:new])
    return request(old if sent is None else sent, proof, note(body(new, entries)))


def cases() -> list[dict[str, Any]]:
    return [*_requests(), *_cosigned(), *_refused()]


def _requests() -> list[dict[str, Any]]:
    signed = note(body(8))
    good = [
        {"name": "without a proof", "request": request(0, [], signed), "old_size": 0, "proof": []},
        {"name": "with a proof", "request": growth(3, 8), "old_size": 3,
         "proof": [node.hex() for node in oracles.consistency(3, ENTRIES[:8])]},
        {"name": "with 63 hashes", "request": request(1, [bytes(32)] * 63, signed), "old_size": 1,
         "proof": ["00" * 32] * 63},
    ]  # fmt: skip
    wrong = {
        "nothing": "",
        "no old size": f"\n{signed}",
        "no empty line": "old 0\n",
        "an old size without its word": f"0\n\n{signed}",
        "an old size in capitals": f"OLD 0\n\n{signed}",
        "two spaces before the old size": f"old  0\n\n{signed}",
        "a space after the old size": f"old 0 \n\n{signed}",
        "an old size with a zero before it": f"old 03\n\n{signed}",
        "an old size below nothing": f"old -1\n\n{signed}",
        "an old size past 2**63": f"old {1 << 63}\n\n{signed}",
        "64 hashes": request(1, [bytes(32)] * 64, signed),
        "a hash of 31 bytes": request(1, [bytes(31)], signed),
        "a hash that is no base64": f"old 1\n????\n\n{signed}",
        "a hash without its padding": f"old 1\n{b64(bytes(32))[:-1]}\n\n{signed}",
        "carriage returns": request(0, [], signed).replace("\n", "\r\n"),
    }
    bad = [{"name": name, "request": text, "error": "malformed"} for name, text in wrong.items()]
    far = {"name": "far too long", "zeros": 30_000, "error": "malformed"}
    return [*good, *bad, far, {"name": "no UTF-8", "hex": "ff", "error": "malformed"}]


def _judged(name: str, held: int, text: str, reason: str, **more: Any) -> dict[str, Any]:
    """`held` is the size cosigned last, of the history of ENTRIES; -1 where there is none."""
    last = None if held < 0 else [held, oracles.root(ENTRIES[:held]).hex()]
    case = {"name": name, "judged": text, "vkeys": [vkey(ORIGIN)], "last": last, "reason": reason}
    return case | more


def _cosigned() -> list[dict[str, Any]]:
    text, new = body(8), vkey(ORIGIN, b"\x02" * 32)
    both = note(text, signature(text), signature(text, ORIGIN, b"\x02" * 32))
    mine, witnessed = note(text), note(text, line(text), signature(text), signature(text, "x"))
    return [
        *(_judged(f"{old} to {size}", old, growth(old, size), "cosign", kept=note(body(size)))
          for old, size in ((0, 8), (1, 8), (3, 8), (4, 8), (7, 8), (8, 8), (8, 9), (13, 20))),
        _judged("the first", -1, growth(0, 8), "cosign", kept=mine),
        _judged("the first, empty", -1, growth(0, 0), "cosign", kept=note(body(0))),
        _judged("the same again, empty", 0, growth(0, 0), "cosign", kept=note(body(0))),
        _judged("with lines of unknown keys", 3, request(3, oracles.consistency(3, ENTRIES[:8]),
                witnessed), "cosign", kept=mine),
        _judged("with two trusted lines", -1, request(0, [], both), "cosign",
                vkeys=[vkey(ORIGIN), new], kept=both),
        _judged("with one of two trusted keys", -1, request(0, [], mine), "cosign",
                vkeys=[new, vkey(ORIGIN)], kept=mine),
    ]  # fmt: skip


def _refused() -> list[dict[str, Any]]:
    text = body(8)
    forged = note(text, signature(body(9)))
    half = note(text, signature(text), signature(body(9), ORIGIN, b"\x02" * 32))
    proof = oracles.consistency(3, ENTRIES[:8])
    empty = f"{ORIGIN}\n0\n{b64(bytes(32))}\n"
    longer = [*proof, bytes(32)]
    vkeys = [vkey(ORIGIN), vkey(ORIGIN, b"\x02" * 32)]
    return [
        _judged("no checkpoint", -1, request(0, [], "text\n\n"), "malformed"),
        _judged("a text that is none", -1, request(0, [], note("text\n")), "malformed"),
        _judged("an old size past the new one", 9, growth(0, 8, sent=9), "malformed"),
        _judged("an unknown origin", -1, request(0, [], note(body(8, origin="other.example"))),
                "unknown-origin"),
        _judged("a key of another origin", -1, growth(0, 8), "unknown-origin",
                vkeys=[vkey("other.example")]),
        _judged("no trusted line", -1, request(0, [], note(text, line(text))), "bad-signature"),
        _judged("a line of another key", -1, request(0, [], note(text, signature(text, ORIGIN,
                bytes(32)))), "bad-signature"),
        _judged("a forged line", -1, request(0, [], forged), "bad-signature"),
        _judged("a forged line beside a good one", -1, request(0, [], half), "bad-signature",
                vkeys=vkeys),
        _judged("a forged line, and an old size past the new one", 9,
                request(9, [], forged), "bad-signature"),
        _judged("an old size before the last", 5, growth(3, 8), "conflict"),
        _judged("an old size after the last", 3, growth(5, 8), "conflict"),
        _judged("an old size where nothing was cosigned", -1, growth(3, 8), "conflict"),
        _judged("a smaller one", 8, growth(3, 5), "conflict"),
        _judged("the size cosigned, with another root", 8, growth(3, 8, OTHERS), "conflict",
                proven=True),
        _judged("an empty tree with a root", -1, request(0, [], note(empty)), "forked"),
        _judged("a proof from nothing", -1, request(0, [bytes(32)], note(text)), "forked"),
        _judged("a proof from itself", 8, request(8, [bytes(32)], note(text)), "forked"),
        _judged("no proof", 3, request(3, [], note(text)), "forked"),
        _judged("a proof cut", 3, request(3, proof[:-1], note(text)), "forked"),
        _judged("a proof with one more", 3, request(3, longer, note(text)), "forked"),
        _judged("a proof of zeros", 3, request(3, [bytes(32)] * len(proof), note(text)), "forked"),
        _judged("another root of the same size", 8, growth(8, 8, OTHERS), "forked", proven=True),
        _judged("another history, from a size that shows it", 5, growth(5, 9, OTHERS), "forked",
                proven=True),
        _judged("another history, from a power of two", 4, growth(4, 9, OTHERS), "forked"),
    ]  # fmt: skip
