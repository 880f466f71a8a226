"""The CoAP door: resources by GET, PUT, POST, DELETE, their conditions and formats."""

from typing import Any

from tests.protocol.cases.door import (
    ACCEPT,
    BAD_REQUEST,
    CHANGED,
    CONTENT,
    CONTENT_FORMAT,
    CREATED,
    DELETE,
    DELETED,
    ETAG,
    FORBIDDEN,
    GET,
    IF_MATCH,
    IF_NONE_MATCH,
    IPATCH,
    NOT_ACCEPTABLE,
    NOT_ALLOWED,
    NOT_FOUND,
    POST,
    PRECONDITION,
    PUT,
    UNAUTHORIZED,
    VALID,
    ack,
    ask,
    case,
    fresh,
)

_A, _B = b"21.5", b"22"
_JSON = (CONTENT_FORMAT, b"\x32")
_REMEMBERED = (ETAG, None)
_OLD = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def cases() -> list[dict[str, Any]]:
    return [*_methods(), *_conditions(), *_validation(), *_formats(), *_who(), *_paths()]


def _methods() -> list[dict[str, Any]]:
    return [
        case(
            "PUT creates, replaces, and GET shows",
            "RFC 7252 §5.8.3: 2.01, then 2.04",
            *fresh(0x4000, "home/door/put"),
            ask(PUT, 0x4001, "home/door/put", _JSON, payload=_A),
            ack(CREATED, 0x4001),
            ask(GET, 0x4002, "home/door/put"),
            ack(CONTENT, 0x4002, options=[_JSON, _REMEMBERED], payload=_A),
            ask(PUT, 0x4003, "home/door/put", payload=_B),
            ack(CHANGED, 0x4003),
            ask(GET, 0x4004, "home/door/put"),
            ack(CONTENT, 0x4004, payload=_B, without=[CONTENT_FORMAT]),
        ),
        case(
            "POST creates, appends, and a duplicate does neither",
            "RFC 7252 §5.8.2, §4.5",
            *fresh(0x4010, "tmp/door/post"),
            ask(POST, 0x4011, "tmp/door/post", payload=_A),
            ack(CREATED, 0x4011),
            ask(POST, 0x4012, "tmp/door/post", payload=_B),
            ack(CHANGED, 0x4012),
            ask(POST, 0x4012, "tmp/door/post", payload=_B),
            ack(CHANGED, 0x4012),
            ask(GET, 0x4013, "tmp/door/post"),
            ack(CONTENT, 0x4013, payload=_A + _B),
        ),
        case(
            "DELETE, and again",
            "RFC 7252 §5.8.4: 2.02, also where there was nothing",
            ask(PUT, 0x4020, "tmp/door/delete", payload=_A),
            {"answer": "614?402007"},
            ask(DELETE, 0x4021, "tmp/door/delete"),
            ack(DELETED, 0x4021),
            ask(GET, 0x4022, "tmp/door/delete"),
            ack(NOT_FOUND, 0x4022),
            ask(DELETE, 0x4023, "tmp/door/delete"),
            ack(DELETED, 0x4023),
        ),
        case(
            "an empty resource",
            "RFC 7252 §5.5.1: no payload is a representation of no bytes",
            *fresh(0x4030, "tmp/door/empty"),
            ask(PUT, 0x4031, "tmp/door/empty"),
            ack(CREATED, 0x4031),
            ask(GET, 0x4032, "tmp/door/empty"),
            ack(CONTENT, 0x4032, payload=b""),
        ),
        case(
            "iPATCH of a resource",
            "RFC 8132 §2, RFC 7252 §5.8",
            ask(IPATCH, 0x4033, "tmp/door/empty", payload=_A),
            ack(NOT_ALLOWED, 0x4033),
        ),
    ]


def _conditions() -> list[dict[str, Any]]:
    match, none = "RFC 7252 §5.10.8.1", "RFC 7252 §5.10.8.2"
    where = "home/door/match"
    return [
        case(
            "If-Match",
            f"{match}: performed where one is the current ETag, else 4.12",
            *fresh(0x4100, where),
            ask(PUT, 0x4101, where, payload=_A),
            ack(CREATED, 0x4101),
            ask(GET, 0x4102, where),
            ack(CONTENT, 0x4102, options=[(ETAG, "etag")], payload=_A),
            ask(PUT, 0x4103, where, (IF_MATCH, _OLD), payload=_B),
            ack(PRECONDITION, 0x4103),
            ask(PUT, 0x4104, where, (IF_MATCH, _OLD), (IF_MATCH, "etag"), payload=_B),
            ack(CHANGED, 0x4104),
            ask(PUT, 0x4105, where, (IF_MATCH, "etag"), payload=_A),
            ack(PRECONDITION, 0x4105),
            ask(DELETE, 0x4106, where, (IF_MATCH, "etag")),
            ack(PRECONDITION, 0x4106),
            ask(GET, 0x4107, where),
            ack(CONTENT, 0x4107, payload=_B),
        ),
        case(
            "If-Match of anything",
            f"{match}: an empty one is fulfilled by a resource that is there",
            *fresh(0x4110, "tmp/door/any"),
            ask(PUT, 0x4111, "tmp/door/any", (IF_MATCH, b""), payload=_A),
            ack(PRECONDITION, 0x4111),
            ask(PUT, 0x4112, "tmp/door/any", payload=_A),
            ack(CREATED, 0x4112),
            ask(PUT, 0x4113, "tmp/door/any", (IF_MATCH, b""), payload=_B),
            ack(CHANGED, 0x4113),
        ),
        case(
            "If-None-Match",
            f"{none}: only where there is nothing yet",
            *fresh(0x4120, "home/door/none"),
            ask(PUT, 0x4121, "home/door/none", (IF_NONE_MATCH, b""), payload=_A),
            ack(CREATED, 0x4121),
            ask(PUT, 0x4122, "home/door/none", (IF_NONE_MATCH, b""), payload=_B),
            ack(PRECONDITION, 0x4122),
            ask(GET, 0x4123, "home/door/none"),
            ack(CONTENT, 0x4123, payload=_A),
        ),
    ]


def _validation() -> list[dict[str, Any]]:
    where, again = "home/door/valid", "home/door/again"
    return [
        case(
            "GET with the ETag that it has",
            "RFC 7252 §5.10.6.2: 2.03 with the ETag and no payload",
            ask(PUT, 0x4200, where, payload=_A),
            {"answer": "614?420007"},
            ask(GET, 0x4201, where),
            ack(CONTENT, 0x4201, options=[(ETAG, "etag")]),
            ask(GET, 0x4202, where, (ETAG, _OLD), (ETAG, "etag")),
            ack(VALID, 0x4202, options=[(ETAG, None)], payload=b""),
            ask(GET, 0x4203, where, (ETAG, _OLD)),
            ack(CONTENT, 0x4203, payload=_A),
        ),
        case(
            "the same bytes once more are another state",
            "RFC 7252 §5.10.6: an ETag of a resource that was deleted does not come back",
            *fresh(0x4210, again),
            ask(PUT, 0x4211, again, payload=_A),
            ack(CREATED, 0x4211),
            ask(GET, 0x4212, again),
            ack(CONTENT, 0x4212, options=[(ETAG, "etag")]),
            *fresh(0x4213, again),
            ask(PUT, 0x4214, again, payload=_A),
            ack(CREATED, 0x4214),
            ask(GET, 0x4215, again, (ETAG, "etag")),
            ack(CONTENT, 0x4215, payload=_A),
        ),
    ]


def _formats() -> list[dict[str, Any]]:
    where = "tmp/door/format"
    return [
        case(
            "Accept of a resource",
            "RFC 7252 §5.10.4",
            ask(PUT, 0x4300, where, _JSON, payload=b"{}"),
            {"answer": "614?430007"},
            ask(GET, 0x4301, where, (ACCEPT, b"\x32")),
            ack(CONTENT, 0x4301, options=[_JSON], payload=b"{}"),
            ask(GET, 0x4302, where, (ACCEPT, b"\x3c")),
            ack(NOT_ACCEPTABLE, 0x4302),
        ),
        case(
            "a format nobody knows is kept",
            "RFC 7252 §5.10.3",
            ask(PUT, 0x4310, where + "2", (CONTENT_FORMAT, b"\xfd\xe8"), payload=_A),
            {"answer": "614?431007"},
            ask(GET, 0x4311, where + "2"),
            ack(CONTENT, 0x4311, options=[(CONTENT_FORMAT, b"\xfd\xe8")], payload=_A),
        ),
    ]


def _who() -> list[dict[str, Any]]:
    clause = "RFC 7252 §5.9.2.2, §5.9.2.4: 4.01 for nobody, 4.03 for one who may not"
    asked: list[tuple[str, int, str, str, int]] = [
        ("PUT by nobody", PUT, "tmp/door/who", "", UNAUTHORIZED),
        ("DELETE by nobody", DELETE, "tmp/door/who", "", UNAUTHORIZED),
        ("PUT with a token nobody gave", PUT, "tmp/door/who", "unknown", UNAUTHORIZED),
        ("PUT of the system with a token to write", PUT, "etc/door/who", "write", FORBIDDEN),
        ("DELETE with a token to write", DELETE, "tmp/door/who", "write", FORBIDDEN),
    ]
    return [
        case(name, clause, ask(code, 0x4400 + n, where, who=who), ack(expected, 0x4400 + n))
        for n, (name, code, where, who, expected) in enumerate(asked)
    ]


def _paths() -> list[dict[str, Any]]:
    clause = "RFC 7252 §5.10.1: no segment is `.` or `..`; ours are not empty, either"
    asked: list[tuple[str, str, int]] = [
        ("`..` in a path", "tmp/../etc", BAD_REQUEST),
        ("`.` in a path", "tmp/./a", BAD_REQUEST),
        ("an empty segment in a path", "tmp//a", BAD_REQUEST),
        ("a path that ends with a slash", "tmp/a/", BAD_REQUEST),
        ("a line feed in a path", "tmp/a\nb", BAD_REQUEST),
        ("a namespace by itself", "tmp", BAD_REQUEST),
    ]
    return [
        *(
            case(name, clause, ask(PUT, 0x4500 + n, where, payload=_A), ack(expected, 0x4500 + n))
            for n, (name, where, expected) in enumerate(asked)
        ),
        case(
            "what only tells cannot be written",
            "RFC 7252 §5.9.2.6",
            ask(PUT, 0x4510, "proc/version", payload=_A),
            ack(NOT_ALLOWED, 0x4510),
        ),
    ]
