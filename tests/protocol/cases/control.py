"""Questions at /c and their answers: for one device, one question and one direction."""

from typing import Any

from tests.protocol import oracles
from tests.protocol.cases.envelope import KID, OTHER, SECRET

NONCE = bytes.fromhex("0000000300000001")
QUESTION: dict[int, Any] = {1: NONCE, 2: 4, 3: 3, 4: 17, 5: 5, 6: 384}
COMMAND = [18, "log", "20"]
ANSWER: dict[int, Any] = {1: NONCE, 2: 5, 3: 800, 4: b"}" * 32, 5: [COMMAND], 6: False}
TOP = (1 << 32) - 1
_AAD = {"up": b"ask", "down": b"told"}


def cases() -> list[dict[str, Any]]:
    return [*_questions(), *_bad_questions(), *_answers(), *_bad_answers(), *_bad_commands()]


def _sealed(payload: Any, direction: str, secret: bytes = SECRET, **more: Any) -> bytes:
    key = oracles.hkdf(secret, b"tallystick/1/" + more.get("key", b"down"))
    header = more.get("header", {1: 5, 4: KID})
    aad = more.get("aad", _AAD[direction])
    return oracles.mac0(key, oracles.cbor(header), oracles.cbor(payload), aad)


def _case(name: str, direction: str, data: bytes, **more: Any) -> dict[str, Any]:
    shown = {"name": name, "direction": direction, "secret": SECRET.hex(), "kid": KID.hex()}
    return {**shown, "nonce": NONCE.hex(), "hex": data.hex(), **more}


def _questions() -> list[dict[str, Any]]:
    samples = {
        "a question": QUESTION,
        "the first question of all": {1: bytes(8), 2: 0, 3: 0, 4: 0, 5: 0, 6: 0},
        "a question with the largest numbers": {
            1: b"\xff" * 8, 2: TOP, 3: TOP, 4: TOP, 5: TOP, 6: TOP,
        },
    }  # fmt: skip
    return [
        _case(
            name, "up", _sealed(fields, "up"), fields=[fields[1].hex(), *list(fields.values())[1:]]
        )
        for name, fields in samples.items()
    ]


def _bad_questions() -> list[dict[str, Any]]:
    wrong: dict[str, Any] = {
        "a question that is an array": list(QUESTION.values()),
        "a question of five fields": {k: v for k, v in QUESTION.items() if k != 6},
        "a question of seven fields": QUESTION | {7: 0},
        "a nonce of seven bytes": QUESTION | {1: bytes(7)},
        "a nonce that is a number": QUESTION | {1: 1},
        "a version below zero": QUESTION | {2: -1},
        "a version that is true": QUESTION | {3: True},
        "a command past 32 bits": QUESTION | {4: TOP + 1},
    }
    bad = [
        _case(name, "up", _sealed(fields, "up"), error="malformed")
        for name, fields in wrong.items()
    ]
    headers: dict[str, Any] = {
        "a question with a number of an envelope": {1: 5, 4: KID, 15: {7: NONCE}},
        "a question under another algorithm": {1: 4, 4: KID},
        "a question with a short kid": {1: 5, 4: KID[:7]},
        "a question from nobody": {1: 5, 5: KID},
        "a question with an array for a header": [5, KID],
    }
    bad += [
        _case(name, "up", _sealed(QUESTION, "up", header=header), error="malformed")
        for name, header in headers.items()
    ]
    others = {
        "a question of another device": _sealed(QUESTION, "up", OTHER),
        "an envelope's seal on a question": _sealed(QUESTION, "up", aad=b"up"),
        "a question under the key of envelopes": _sealed(QUESTION, "up", key=b"up"),
        "an answer, thrown back": _sealed(ANSWER, "down"),
    }
    bad += [_case(name, "up", data, error="bad-mac") for name, data in others.items()]
    too_large = _sealed(QUESTION | {1: bytes(1024)}, "up")
    return [*bad, _case("a question over a datagram", "up", too_large, error="too-large")]


def _answers() -> list[dict[str, Any]]:
    longest = [[TOP - n, "n" * 32, "a" * 128] for n in range(2)]
    samples = {
        "an answer": ANSWER,
        "nothing is new": {1: NONCE, 2: 0, 3: 0, 4: b"", 5: [], 6: False},
        "something is withheld": {1: NONCE, 2: 5, 3: 0, 4: b"", 5: [], 6: True},
        "two long commands": {1: NONCE, 2: TOP, 3: 0, 4: b"", 5: longest, 6: False},
        "a piece as long as it may be": ANSWER | {3: 2048, 4: bytes(384), 5: []},
        "no argument": ANSWER | {5: [[1, "report", ""]]},
    }
    return [
        _case(
            name, "down", _sealed(fields, "down"),
            fields=[NONCE.hex(), fields[2], fields[3], fields[4].hex(), fields[5], fields[6]],
        )
        for name, fields in samples.items()
    ]  # fmt: skip


def _bad_answers() -> list[dict[str, Any]]:
    others = {
        "an answer to the question before": _sealed(ANSWER | {1: bytes(8)}, "down"),
        "an answer for another kid": _sealed(ANSWER, "down", header={1: 5, 4: bytes(8)}),
        "an answer of another gateway": _sealed(ANSWER, "down", OTHER),
        "a receipt's seal on an answer": _sealed(ANSWER, "down", aad=b"down"),
        "a question, thrown back": _sealed(QUESTION, "up"),
    }
    bad = [_case(name, "down", data, error="bad-mac") for name, data in others.items()]
    wrong: dict[str, Any] = {
        "an answer of five fields": {k: v for k, v in ANSWER.items() if k != 6},
        "a version that is text": ANSWER | {2: "5"},
        "a text over its limit": ANSWER | {3: 2049},
        "a piece longer than its text": ANSWER | {3: 31},
        "a piece over its limit": ANSWER | {3: 2048, 4: bytes(385)},
        "a piece that is text": ANSWER | {4: "{}"},
        "commands that are no list": ANSWER | {5: {}},
        "three commands": ANSWER | {5: [COMMAND] * 3},
        "withheld that is a number": ANSWER | {6: 0},
    }
    return bad + [
        _case(name, "down", _sealed(fields, "down"), error="malformed")
        for name, fields in wrong.items()
    ]


def _bad_commands() -> list[dict[str, Any]]:
    wrong: dict[str, Any] = {
        "a command of two": [18, "log"],
        "a command that is a map": {1: 18},
        "a command with a text for its id": ["18", "log", ""],
        "a command with a number for its name": [18, 1, ""],
        "a command with a number for its argument": [18, "log", 20],
        "a command without a name": [18, "", ""],
        "a command with a long name": [18, "n" * 33, ""],
        "a command with a long argument": [18, "log", "é" * 65],
    }
    return [
        _case(name, "down", _sealed(ANSWER | {5: [command]}, "down"), error="malformed")
        for name, command in wrong.items()
    ]
