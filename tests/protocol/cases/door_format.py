"""The CoAP door: what has not the form of a message, and what is no request (RFC 7252 §3, §4)."""

from typing import Any

from tests.protocol.cases.door import (
    ACK,
    CON,
    CONTENT,
    GET,
    NON,
    NOT_ALLOWED,
    RST,
    ack,
    answer,
    case,
    message,
    path,
    reset,
    send,
    silence,
)

_FORM = "RFC 7252 §3"
_REJECT = "RFC 7252 §4.2: a CON with a format error is rejected with a RST"
_IGNORE = "RFC 7252 §4.3: a NON with a format error is ignored"

# After a head that says CON GET; what is wrong with it.
_MALFORMED = {
    **{f"a token length of {n}": f"4{n:x}01{{id}}" + "aa" * n for n in range(9, 16)},
    "a token that ends early": "4401{id}aabbcc",
    "a token that is not there": "4801{id}",
    "an option whose value ends early": "4001{id}b574696d",
    "an option head that ends before its delta": "4001{id}d1",
    "an option head that ends inside its delta": "4001{id}e100",
    "an option head that ends before its length": "4001{id}bd",
    "an option head that ends inside its length": "4001{id}be00",
    "a delta of 15 that is no marker": "4001{id}f474696d65",
    "a delta of 15 and no length": "4001{id}f0",
    "a length of 15": "4001{id}bf" + "61" * 15,
    "a payload marker and no payload": "4001{id}b474696d65ff",
    "a payload marker alone": "4001{id}ff",
    "an option number over 65535": "4001{id}e0ffff",
    "code class 1": "4020{id}",
    "code class 6": "40c0{id}",
    "code 7.01, a signal of CoAP over TCP": "40e1{id}",
    "empty, with a token": "4100{id}aa",
    "empty, with an option": "4000{id}b474696d65",
    "empty, with a payload": "4000{id}ff61",
}


def cases() -> list[dict[str, Any]]:
    return [*_versions(), *_malformed(), *_empty(), *_answers(), *_methods()]


def _versions() -> list[dict[str, Any]]:
    clause = f"{_FORM}: messages with unknown version numbers are silently ignored"
    versions = [
        case(f"version {n}", clause, send(f"{n << 6 | 1:02x}0100{n:02x}aa", whole=False), silence())
        for n in (0, 2, 3)
    ]
    short = f"{_FORM}: a message has a head of four bytes"
    return versions + [
        case(f"{size} bytes", short, send("40010a"[: 2 * size], whole=False), silence())
        for size in range(4)
    ]


def _malformed() -> list[dict[str, Any]]:
    """As CON they are reset, as NON ignored."""
    made = []
    for n, (name, data) in enumerate(_MALFORMED.items()):
        con = data.format(id=f"10{n:02x}")
        non = f"5{con[1:]}"
        made.append(
            case(f"CON: {name}", _REJECT, send(con, whole=False), reset(0x1000 + n)),
        )
        made.append(case(f"NON: {name}", _IGNORE, send(non, whole=False), silence()))
    return made


def _empty() -> list[dict[str, Any]]:
    return [
        case(
            "a ping", "RFC 7252 §4.3: an empty CON provokes a RST", send("40001100"), reset(0x1100)
        ),
        case(
            "an empty NON", "RFC 7252 §4.3: rejected; a RST is a MAY", send("50001101"), silence()
        ),
        case("an ACK of nothing", "RFC 7252 §4.2: silently ignored", send("60001102"), silence()),
        case("a RST of nothing", "RFC 7252 §4.2: silently ignored", send("70001103"), silence()),
        case(
            "a ping again",
            "RFC 7252 §4.5: a duplicate is answered alike",
            send("40001104"),
            reset(0x1104),
            send("40001104"),
            reset(0x1104),
        ),
    ]


def _answers() -> list[dict[str, Any]]:
    """Nobody is asked anything, so every answer is astray; answering one could go on for ever."""
    kinds = {"CON": CON, "NON": NON, "ACK": ACK, "RST": RST}
    loops = "RFC 7252 §4.2, §4.3, §11.3: answers are not answered, whoever sent them"
    made = [
        case(
            f"{name} with {code >> 5}.{code & 31:02d}",
            loops,
            send(message(kind, code, 0x1200 + code, b"\x07", [], b"x")),
            silence(),
        )
        for name, kind in kinds.items()
        for code in (0x44, CONTENT, 0x84, 0xA0)
    ]
    requests = "RFC 7252 §4.2: an ACK or RST carries no request; ignored"
    return made + [
        case(
            f"a request as {name}",
            requests,
            send(message(kind, GET, 0x1300 + kind, b"\x07", path("time"))),
            silence(),
        )
        for name, kind in kinds.items()
        if kind in (ACK, RST)
    ]


def _methods() -> list[dict[str, Any]]:
    clause = "RFC 7252 §5.8: an unrecognized or unsupported method is 4.05"
    made = [
        case(
            f"method 0.{code:02d}",
            clause if code > 7 else "RFC 8132 §2, RFC 7252 §5.8: not supported here, so 4.05",
            send(message(CON, code, 0x1400 + code, b"\x07", path("time"))),
            ack(NOT_ALLOWED, 0x1400 + code),
        )
        for code in (5, 6, 7, 8, 31)
    ]
    return [
        *made,
        case(
            "a NON with an unknown method",
            "RFC 7252 §5.8, §5.2.3",
            send(message(NON, 31, 0x1420, b"\x07", path("time"))),
            answer(NON, NOT_ALLOWED, None, b"\x07"),
        ),
    ]
