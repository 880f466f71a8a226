"""The CoAP door: options, paths and formats (RFC 7252 §5.4, §5.9, §5.10), by GET /time."""

from typing import Any

from tests.protocol.cases.door import (
    ACCEPT,
    BAD_OPTION,
    BLOCK2,
    CON,
    CONTENT,
    CONTENT_FORMAT,
    DELETE,
    ECHO,
    ETAG,
    GET,
    IF_NONE_MATCH,
    MAX_AGE,
    NO_PROXYING,
    NON,
    NOT_ACCEPTABLE,
    NOT_ALLOWED,
    NOT_FOUND,
    OBSERVE,
    POST,
    PROXY_SCHEME,
    PROXY_URI,
    PUT,
    REQUEST_TAG,
    SIZE2,
    URI_HOST,
    URI_PATH,
    URI_PORT,
    URI_QUERY,
    Options,
    ack,
    answer,
    case,
    message,
    path,
    send,
    silence,
)

_TIME = path("time")
_UNKNOWN = "RFC 7252 §5.4.1: an unrecognized critical option is 4.02"
_LENGTH = "RFC 7252 §5.4.3: a value of another length makes an option unrecognized"
_REPEATED = "RFC 7252 §5.4.5: one too many is unrecognized"
_TEXT = "RFC 7252 §3.2, §5.9.2.3: a string is UTF-8; a malformed option is 4.02"
_ELECTIVE = "RFC 7252 §5.4.1: an unrecognized elective option is ignored"

# name, clause, the options before the path and after it
_BAD: list[tuple[str, str, Options, Options]] = [
    ("critical option 99", _UNKNOWN, [], [(99, b"")]),
    ("critical option 13, beside the path", _UNKNOWN, [], [(13, b"x")]),
    ("critical option 9999", _UNKNOWN, [], [(9999, b"x" * 20)]),
    ("critical option 65535", _UNKNOWN, [], [(65535, b"")]),
    ("critical option 1021 of 300 bytes", _UNKNOWN, [], [(1021, b"x" * 300)]),
    ("Accept of three bytes", _LENGTH, [], [(ACCEPT, b"\0\0\x3c")]),
    ("Block2 of four bytes", _LENGTH, [], [(BLOCK2, b"\0\0\0\0")]),
    ("Uri-Port of three bytes", _LENGTH, [(URI_PORT, b"\0\x16\x33")], []),
    ("Uri-Host of no bytes", _LENGTH, [(URI_HOST, b"")], []),
    ("Uri-Host of 256 bytes", _LENGTH, [(URI_HOST, b"h" * 256)], []),
    ("Uri-Path of 256 bytes", _LENGTH, [], [(URI_PATH, b"p" * 256)]),
    ("Uri-Query of 256 bytes", _LENGTH, [], [(URI_QUERY, b"q" * 256)]),
    ("If-None-Match with a value", _LENGTH, [(IF_NONE_MATCH, b"x")], []),
    ("Accept twice", _REPEATED, [], [(ACCEPT, b"\x3c"), (ACCEPT, b"\x3c")]),
    ("Uri-Host twice", _REPEATED, [(URI_HOST, b"a"), (URI_HOST, b"a")], []),
    ("Uri-Port twice", _REPEATED, [(URI_PORT, b"\x16\x33"), (URI_PORT, b"\x16\x33")], []),
    ("Uri-Path that is not UTF-8", _TEXT, [], [(URI_PATH, b"\xff\xfe")]),
    ("Uri-Path with an overlong slash", _TEXT, [], [(URI_PATH, b"\xc0\xaf")]),
    ("Uri-Path with a surrogate", _TEXT, [], [(URI_PATH, b"\xed\xa0\x80")]),
    ("Uri-Query that is not UTF-8", _TEXT, [], [(URI_QUERY, b"\x80")]),
    ("Uri-Host that is not UTF-8", _TEXT, [(URI_HOST, b"\xc3")], []),
]

_IGNORED: list[tuple[str, str, Options, Options]] = [
    ("elective option 98", _ELECTIVE, [], [(98, b"x")]),
    ("elective option 2048", _ELECTIVE, [], [(2048, b"x" * 30)]),
    ("elective option 65534", _ELECTIVE, [], [(65534, b"")]),
    (
        "elective options before and after",
        _ELECTIVE,
        [(2, b""), (8, b"yy")],
        [(98, b"x"), (98, b"x")],
    ),
    ("ETag of nine bytes", _LENGTH, [(ETAG, b"e" * 9)], []),
    ("ETag of no bytes", _LENGTH, [(ETAG, b"")], []),
    ("Content-Format of three bytes", _LENGTH, [], [(CONTENT_FORMAT, b"\0\0\x3c")]),
    ("Max-Age, which is for answers", "RFC 7252 §5.10: elective", [], [(MAX_AGE, b"\x3c")]),
    ("Size2 twice", _REPEATED, [], [(SIZE2, b""), (SIZE2, b"")]),
    ("Echo nobody asked for", "RFC 9175 §2.3: elective", [], [(ECHO, b"12345678")]),
    (
        "Request-Tag twice",
        "RFC 9175 §3.2.1: repeatable",
        [],
        [(REQUEST_TAG, b"1"), (REQUEST_TAG, b"2")],
    ),
    (
        "Uri-Host and Uri-Port",
        "RFC 7252 §5.10.1",
        [(URI_HOST, b"gateway"), (URI_PORT, b"\x16\x33")],
        [],
    ),
    ("Uri-Host of 255 bytes", "RFC 7252 §5.10.1", [(URI_HOST, b"h" * 255)], []),
    ("Uri-Port of no bytes", "RFC 7252 §3.2, §5.10", [(URI_PORT, b"")], []),
    ("Observe of what does not change", "RFC 7641 §4.1: ignored", [(OBSERVE, b"")], []),
    ("Observe of four bytes", _LENGTH, [(OBSERVE, b"\0\0\0\0")], []),
]


def cases() -> list[dict[str, Any]]:
    return [*_bad(), *_ignored(), *_proxying(), *_paths(), *_formats()]


def _ask(kind: int, message_id: int, before: Options, after: Options) -> str:
    return message(kind, GET, message_id, b"\x07", [*before, *_TIME, *after])


def _bad() -> list[dict[str, Any]]:
    made = []
    for n, (name, clause, before, after) in enumerate(_BAD):
        message_id = 0x2000 + n
        made.append(
            case(
                name,
                clause,
                send(_ask(CON, message_id, before, after)),
                ack(BAD_OPTION, message_id),
            )
        )
    silent = "RFC 7252 §5.4.1, §4.3: a NON with an unrecognized critical option is rejected"
    return made + [
        case(f"NON: {name}", silent, send(_ask(NON, 0x2080 + n, before, after)), silence())
        for n, (name, clause, before, after) in enumerate(_BAD)
        if clause in (_UNKNOWN, _REPEATED)
    ]


def _ignored() -> list[dict[str, Any]]:
    return [
        case(
            name,
            clause,
            send(_ask(CON, 0x2100 + n, before, after)),
            ack(CONTENT, 0x2100 + n, without=[OBSERVE]),
        )
        for n, (name, clause, before, after) in enumerate(_IGNORED)
    ]


def _proxying() -> list[dict[str, Any]]:
    clause = "RFC 7252 §5.10.2: a proxying request to an endpoint that does not is 5.05"
    asked = {
        "Proxy-Uri": message(CON, GET, 0x2200, b"\x07", [(PROXY_URI, b"coap://127.0.0.1/time")]),
        "Proxy-Scheme": message(CON, GET, 0x2201, b"\x07", [*_TIME, (PROXY_SCHEME, b"http")]),
        "Proxy-Uri beside a path": message(
            CON, GET, 0x2202, b"\x07", [*_TIME, (PROXY_URI, b"coap://127.0.0.1/time")]
        ),
    }
    made = [
        case(name, clause, send(data), ack(NO_PROXYING, 0x2200 + n))
        for n, (name, data) in enumerate(asked.items())
    ]
    data = message(NON, GET, 0x2203, b"\x07", [(PROXY_URI, b"coap://127.0.0.1/time")])
    by_non = case("NON: Proxy-Uri", clause, send(data), answer(NON, NO_PROXYING, None, b"\x07"))
    return [*made, by_non]


def _paths() -> list[dict[str, Any]]:
    missing, method = "RFC 7252 §5.9.2.5", "RFC 7252 §5.9.2.6"
    return [
        case(
            name,
            clause,
            send(message(CON, code, 0x2300 + n, b"\x07", path(*segments))),
            ack(expected, 0x2300 + n),
        )
        for n, (name, clause, code, segments, expected) in enumerate(
            [
                ("an unknown path", missing, GET, ("nothing", "here"), NOT_FOUND),
                ("a path under a resource", missing, GET, ("time", "zone"), NOT_FOUND),
                ("a path in capitals", missing, GET, ("TIME",), NOT_FOUND),
                ("GET of what takes POST", method, GET, ("r",), NOT_ALLOWED),
                ("PUT of what takes POST", method, PUT, ("r",), NOT_ALLOWED),
                ("DELETE of what takes POST", method, DELETE, ("r",), NOT_ALLOWED),
                ("POST of what takes GET", method, POST, ("time",), NOT_ALLOWED),
                ("PUT of what takes GET", method, PUT, ("time",), NOT_ALLOWED),
                ("DELETE of the links", method, DELETE, (".well-known", "core"), NOT_ALLOWED),
            ]
        )
    ]


def _formats() -> list[dict[str, Any]]:
    clause = "RFC 7252 §5.10.4: what cannot be had in the accepted format is 4.06"
    cbor = (CONTENT_FORMAT, b"\x3c")
    made = [
        case(
            f"Accept {shown}", clause, send(_ask(CON, 0x2400 + n, [], [(ACCEPT, value)])), expected
        )
        for n, (shown, value, expected) in enumerate(
            [
                ("60, which it is", b"\x3c", ack(CONTENT, 0x2400, options=[cbor])),
                ("60 in two bytes", b"\0\x3c", ack(CONTENT, 0x2401, options=[cbor])),
                ("0, which it is not", b"", ack(NOT_ACCEPTABLE, 0x2402)),
                ("65000, which is unknown", b"\xfd\xe8", ack(NOT_ACCEPTABLE, 0x2403)),
            ]
        )
    ]
    both = "RFC 7252 §5.5.2, §5.10.3: what is there has a Content-Format"
    return [
        *made,
        case(
            "GET /time", both, send(_ask(CON, 0x2410, [], [])), ack(CONTENT, 0x2410, options=[cbor])
        ),
    ]
