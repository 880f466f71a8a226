"""Cosignatures (C2SP tlog-cosignature): the lines of witnesses under a checkpoint."""

import base64
from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.checkpoint import BODY, key_id, public, signature, vkey

NAME = "witness.example/w1"
SEED = b"\x07" * 32
TIME_S = 1_679_315_147
PUBLISHED = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="  # noqa: E501  # the specification's example


def witness_key(name: str = NAME, seed: bytes = SEED) -> str:
    material = b"\x04" + public(seed)
    return f"{name}+{key_id(name, material).hex()}+{base64.b64encode(material).decode()}"


def message(body: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{body}".encode()


def line(
    body: str = BODY,
    time_s: int = TIME_S,
    *,
    name: str = NAME,
    seed: bytes = SEED,
    signed: bytes | None = None,
) -> str:
    """A signature line without its end; `signed` is the message where it is another one."""
    message_ = message(body, time_s) if signed is None else signed
    value = time_s.to_bytes(8, "big") + oracles.ed25519(seed).sign(message_)
    return _line(value, name, seed)


def _line(value: bytes, name: str = NAME, seed: bytes = SEED) -> str:
    signed = key_id(name, b"\x04" + public(seed)) + value
    return f"\u2014 {name} {base64.b64encode(signed).decode()}"


def cases() -> list[dict[str, Any]]:
    return [*_good(), *_bad(), *_passed_over()]


def _good() -> list[dict[str, Any]]:
    return [
        _case("alone", line(), time_s=TIME_S),
        _case("after the log's", f"{signature(BODY)}\n{line()}", time_s=TIME_S),
        _case("before another witness", f"{line()}\n{line(name='w2', seed=bytes(32))}", TIME_S),
        _case("twice, the first counts", f"{line()}\n{line(time_s=5)}", time_s=TIME_S),
        _case("the first second", line(time_s=1), time_s=1),
        _case("the last second", line(time_s=(1 << 63) - 1), time_s=(1 << 63) - 1),
    ]


def _bad() -> list[dict[str, Any]]:
    seal = oracles.ed25519(SEED).sign
    lines = {
        "of another text": line(BODY.replace("8", "9", 1)),
        "of another time": line(signed=message(BODY, TIME_S + 1)),
        "over the text alone": line(signed=BODY.encode()),
        "over the text and the log's line": line(signed=message(f"{BODY}\n{signature(BODY)}\n", 1)),
        "at the time 0": line(time_s=0),
        "at a time past 2**63": _line(b"\xff" * 8 + seal(message(BODY, (1 << 64) - 1))),
        "without its time": _line(seal(BODY.encode())),
        "of a time alone": _line(TIME_S.to_bytes(8, "big")),
        "cut": _line(TIME_S.to_bytes(8, "big") + seal(message(BODY, TIME_S))[:-1]),
        "with a byte more": _line(TIME_S.to_bytes(8, "big") + seal(message(BODY, TIME_S)) + b"0"),
        "forged, before a good one": f"{line(signed=b'forged')}\n{line()}",
    }
    cases = [_case(name, text, error="bad-signature") for name, text in lines.items()]
    alone = _case("by a key that signs without a time", signature(BODY, NAME, SEED))
    return [*cases, alone | {"vkey": vkey(NAME, SEED), "error": "bad-signature"}]


def _passed_over() -> list[dict[str, Any]]:
    """Not the key's: it says nothing, good or bad."""
    return [
        _case("none", signature(BODY)),
        _case("of the same name by another key", line(seed=bytes(32))),
        _case("of the same key under another name", line(name="witness.example/w2")),
        _case("the specification's example, by a key we do not have",
              f"\u2014 witness.example.com/w1 {PUBLISHED}"),
    ]  # fmt: skip


def _case(name: str, lines: str, time_s: int | None = None, error: str = "") -> dict[str, Any]:
    case = {"name": name, "note": f"{BODY}\n{lines}\n", "vkey": witness_key()}
    return case | ({"error": error} if error else {"time_s": time_s})
