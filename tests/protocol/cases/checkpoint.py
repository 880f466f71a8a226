"""Checkpoints: verifier keys, bodies and signed notes, each with one spelling."""

import base64
import hashlib
from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.merkle import PUBLISHED_ROOTS

SEED = bytes(range(32))
ORIGIN = "greenhouse.example/ledger"
ROOT = base64.b64encode(bytes.fromhex(PUBLISHED_ROOTS[8])).decode()
BODY = f"{ORIGIN}\n8\n{ROOT}\n"
PETER = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"  # golang.org/x/mod/sumdb/note


def key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]


def vkey(name: str, seed: bytes = SEED) -> str:
    key = b"\x01" + public(seed)
    return f"{name}+{key_id(name, key).hex()}+{base64.b64encode(key).decode()}"


def public(seed: bytes) -> bytes:
    return oracles.ed25519(seed).public_key().public_bytes_raw()


def signature(body: str, name: str = ORIGIN, seed: bytes = SEED) -> str:
    """A signature line without its end (C2SP signed-note)."""
    signed = key_id(name, b"\x01" + public(seed)) + oracles.ed25519(seed).sign(body.encode())
    return f"\u2014 {name} {base64.b64encode(signed).decode()}"


def cases() -> list[dict[str, Any]]:
    return [*_keys(), *_bodies(), *_notes()]


def _keys() -> list[dict[str, Any]]:
    good = [
        {"name": "key of the signed-note example", "key": f"PeterNeumann+c74f20a3+{PETER}",
         "key_name": "PeterNeumann", "key_id": "c74f20a3",
         "public": base64.b64decode(PETER)[1:].hex()},
        {"name": "key with a plus in its base64", "key": vkey(ORIGIN, b"\x0d" * 32),
         "key_name": ORIGIN, "key_id": key_id(ORIGIN, b"\x01" + public(b"\x0d" * 32)).hex(),
         "public": public(b"\x0d" * 32).hex()},
    ]  # fmt: skip
    long = "n" * 256
    ecdsa = b"\x02" + base64.b64decode(PETER)[1:]
    wrong = {
        "key of nothing": "",
        "key without its hash": f"PeterNeumann+{PETER[1:]}",
        "key with another hash": f"PeterNeumann+c74f20a4+{PETER}",
        "key with a hash in capitals": f"PeterNeumann+C74F20A3+{PETER}",
        "key with a short hash": f"PeterNeumann+c74f20+{PETER}",
        "key of another name": f"PeterNeumanm+c74f20a3+{PETER}",
        "key without a name": f"+c74f20a3+{PETER}",
        "key with a space in its name": vkey("Peter Neumann"),
        "key with a wide space in its name": vkey("Peter\u2003Neumann"),
        "key with a surrogate in its name": f"\ud800+c74f20a3+{PETER}",
        "key with a name of 256 letters": vkey(long),
        "key with a line end": f"PeterNeumann+c74f20a3+{PETER}\n",
        "key of another algorithm": f"PeterNeumann+{key_id('PeterNeumann', ecdsa).hex()}"
        f"+{base64.b64encode(ecdsa).decode()}",
        "key that is too long, as in note_test.go": f"PeterNeumann+cc469956+{PETER}BADKEY==",
        "key of no known algorithm, as in note_test.go": f"PeterNeumann+173116ae+Z{PETER[1:]}",
        "key that is not base64": "PeterNeumann+c74f20a3+!",
    }
    bad = [{"name": name, "key": text, "error": "malformed"} for name, text in wrong.items()]
    return good + bad


def _bodies() -> list[dict[str, Any]]:
    sizes = {"one entry": 1, "no entries": 0, "the largest ledger": (1 << 63) - 1}
    good = [
        {"name": name, "body": f"{ORIGIN}\n{size}\n{ROOT}\n", "origin": ORIGIN, "size": size,
         "root": PUBLISHED_ROOTS[8]}
        for name, size in sizes.items()
    ]  # fmt: skip
    spare = ROOT[:-2] + chr(ord(ROOT[-2]) + 1) + "="
    texts = {
        f"size spelled {size!r}": f"{ORIGIN}\n{size}\n{ROOT}\n"
        for size in ("08", "+8", "-8", "8_0", " 8", "8 ", "8\r", "", "0x8", "8.0", "\u0668",
                     "00", "9223372036854775808", "10000000000000000000")
    }  # fmt: skip
    texts |= {
        "nothing": "",
        "no last line end": BODY[:-1],
        "a line more": f"{BODY}extension\n",
        "an empty line more": f"{BODY}\n",
        "a line less": f"{ORIGIN}\n8\n",
        "line ends of two letters": BODY.replace("\n", "\r\n"),
        "an empty origin": f"\n8\n{ROOT}\n",
        "an origin with a space": f"a b\n8\n{ROOT}\n",
        "an origin with a plus": f"a+b\n8\n{ROOT}\n",
        "an origin with a tab": f"a\tb\n8\n{ROOT}\n",
        "an origin with a delete": f"a\x7fb\n8\n{ROOT}\n",
        "an origin with a space of no width to break": f"a\u00a0b\n8\n{ROOT}\n",
        "an origin with a line separator": f"a\u2028b\n8\n{ROOT}\n",
        "an origin of 256 letters": f"{'o' * 256}\n8\n{ROOT}\n",
        "base64 with bits to spare": f"{ORIGIN}\n8\n{spare}\n",
        "base64 without padding": f"{ORIGIN}\n8\n{ROOT[:-1]}\n",
        "base64 with padding twice": f"{ORIGIN}\n8\n{ROOT}=\n",
        "base64 for URLs": f"{ORIGIN}\n8\n{'-_' * 21 + 'A='}\n",
        "base64 with a space": f"{ORIGIN}\n8\n{ROOT[:8]} {ROOT[8:]}\n",
        "base64 of nothing": f"{ORIGIN}\n8\n\n",
        "a root of 31 bytes": f"{ORIGIN}\n8\n{base64.b64encode(bytes(31)).decode()}\n",
        "a root of 33 bytes": f"{ORIGIN}\n8\n{base64.b64encode(bytes(33)).decode()}\n",
    }
    return good + [{"name": n, "body": text, "error": "malformed"} for n, text in texts.items()]


def _notes() -> list[dict[str, Any]]:
    line, witness = signature(BODY), signature(BODY, "witness.example", bytes(32))
    other, impostor = BODY.replace(ORIGIN, "b"), signature(BODY, ORIGIN, bytes(32))
    flipped = base64.b64encode(base64.b64decode(line.split()[2])[:-1] + b"\0").decode()
    notes: list[tuple[str, str, str]] = [
        ("", "signed", f"{BODY}\n{line}\n"),
        ("", "signed, and by a witness", f"{BODY}\n{line}\n{witness}\n"),
        ("", "a witness first", f"{BODY}\n{witness}\n{line}\n"),
        ("", "and by a key of the same name", f"{BODY}\n{impostor}\n{line}\n"),
        ("bad-signature", "a witness alone", f"{BODY}\n{witness}\n"),
        ("bad-signature", "another key of the same name", f"{BODY}\n{impostor}\n"),
        ("bad-signature", "another size", f"{BODY.replace('8', '9', 1)}\n{line}\n"),
        ("bad-signature", "a signature changed", f"{BODY}\n\u2014 {ORIGIN} {flipped}\n"),
        ("bad-signature", "a signature cut", f"{BODY}\n\u2014 {ORIGIN} {_cut(line)}\n"),
        ("bad-signature", "another origin", f"{other}\n{signature(other, 'b')}\n"),
        ("malformed", "no signature", f"{BODY}\n"),
        ("malformed", "no blank line", f"{BODY}{line}\n"),
        ("malformed", "an empty body", f"\n\n{line}\n"),
        ("malformed", "no line end after the signature", f"{BODY}\n{line}"),
        ("malformed", "a blank line at the end", f"{BODY}\n{line}\n\n"),
        ("malformed", "anything after the signature", f"{BODY}\n{line}\nanything\n"),
        ("malformed", "a hyphen for the dash", f"{BODY}\n{line.replace(chr(8212), '-')}\n"),
        ("malformed", "two spaces in a signature", f"{BODY}\n{line.replace(' ', '  ')}\n"),
        ("malformed", "a signature without a name", f"{BODY}\n\u2014  {line.split()[2]}\n"),
        ("malformed", "a signature that is a key hash", f"{BODY}\n\u2014 {ORIGIN} AAAAAA==\n"),
        ("malformed", "a signature that is no base64", f"{BODY}\n\u2014 {ORIGIN} ????\n"),
        ("malformed", "too long", f"{BODY}\n{line}\n" + f"{witness}\n" * 160),
    ]
    return [_note(*note) for note in notes]


def _cut(line: str) -> str:
    return base64.b64encode(base64.b64decode(line.split()[2])[:-1]).decode()


def _note(reason: str, name: str, text: str) -> dict[str, Any]:
    case = {"name": f"note, {name}", "note": text, "vkey": vkey(ORIGIN)}
    if reason:
        return case | {"error": reason}
    return case | {"origin": ORIGIN, "size": 8, "root": PUBLISHED_ROOTS[8]}
