"""The CoAP door: tokens, message ids, duplicates (RFC 7252 §4, §5.2, §5.3), readings, links."""

from typing import Any

from tests.protocol.cases.door import (
    ACCEPT,
    BAD_REQUEST,
    BLOCK2,
    CHANGED,
    CON,
    CONTENT,
    CONTENT_FORMAT,
    GET,
    NON,
    NOT_ACCEPTABLE,
    POST,
    TOO_LARGE,
    UNAUTHORIZED,
    UNSUPPORTED_FORMAT,
    URI_HOST,
    URI_PORT,
    URI_QUERY,
    Options,
    ack,
    answer,
    block,
    case,
    get,
    message,
    path,
    send,
    silence,
)

_COSE = (CONTENT_FORMAT, b"\x11")
_LINKS = (".well-known", "core")


def cases() -> list[dict[str, Any]]:
    return [*_tokens(), *_duplicates(), *_readings(), *_links(), *_blocks()]


def _tokens() -> list[dict[str, Any]]:
    echoed = "RFC 7252 §5.3.1: the token is echoed, whatever it is"
    tokens = [
        case(
            f"a token of {size} bytes",
            echoed,
            send(message(CON, GET, 0x3000 + size, bytes(range(size)), path("time"))),
            ack(CONTENT, 0x3000 + size, bytes(range(size))),
        )
        for size in range(9)
    ]
    same = "RFC 7252 §4.2: an ACK has the message id of what it acknowledges"
    ids = [
        case(
            f"message id {message_id:04x}",
            same,
            send(message(CON, GET, message_id, b"\x07", path("time"))),
            ack(CONTENT, message_id),
        )
        for message_id in (0, 0xFFFF)
    ]
    return [
        *tokens,
        *ids,
        case(
            "a NON is answered by a NON",
            "RFC 7252 §5.2.3",
            send(message(NON, GET, 0x3010, b"\x01\x02", path("time"))),
            answer(NON, CONTENT, None, b"\x01\x02"),
        ),
        case(
            "one token in two requests",
            "RFC 7252 §5.3.1: tokens are the client's business",
            send(get(0x3011, "time")),
            ack(CONTENT, 0x3011),
            send(get(0x3012, "time")),
            ack(CONTENT, 0x3012),
        ),
    ]


def _duplicates() -> list[dict[str, Any]]:
    con = _post(CON, 0x3100)
    non = _post(NON, 0x3101)
    return [
        case(
            "a CON twice",
            "RFC 7252 §4.5: executed once, acknowledged each time, alike",
            send(con),
            ack(CHANGED, 0x3100, remember="first"),
            send(con),
            ack(CHANGED, 0x3100, same="first"),
            send(con),
            ack(CHANGED, 0x3100, same="first"),
        ),
        case(
            "a NON twice",
            "RFC 7252 §4.5: a duplicate is silently ignored",
            send(non),
            answer(NON, CHANGED, None, b"\x07"),
            send(non),
            silence(),
        ),
        case(
            "a refusal twice",
            "RFC 7252 §4.5",
            send(get(0x3103, "nothing")),
            ack(0x84, 0x3103),
            send(get(0x3103, "nothing")),
            ack(0x84, 0x3103),
        ),
    ]


def _post(
    kind: int,
    message_id: int,
    before: Options = (),
    after: Options = (_COSE,),
    payload: bytes | str = "envelope",
) -> str:
    return message(kind, POST, message_id, b"\x07", [*before, *path("r"), *after], payload)


def _readings() -> list[dict[str, Any]]:
    hosted: Options = [(URI_HOST, b"gateway.local"), (URI_PORT, b"\x16\x34")]
    kept = "docs/wire-format.md §9: 2.04 with a receipt, after the commit"
    format_ = "RFC 7252 §5.9.2.11; docs/wire-format.md §9"
    twice = "docs/wire-format.md §9: the same bytes again are the same entry"
    return [
        case("an envelope", kept, send(_post(CON, 0x3200)), ack(CHANGED, 0x3200, options=[_COSE])),
        case(
            "an envelope by NON",
            kept,
            send(_post(NON, 0x3201)),
            answer(NON, CHANGED, None, b"\x07", options=[_COSE]),
        ),
        case(
            "an envelope, with host and port",
            kept,
            send(_post(CON, 0x3202, hosted)),
            ack(CHANGED, 0x3202, options=[_COSE]),
        ),
        case(
            "an envelope, with an unknown elective option",
            "RFC 7252 §5.4.1",
            send(_post(CON, 0x3203, after=[_COSE, (2048, b"x")])),
            ack(CHANGED, 0x3203),
        ),
        case(
            "an envelope, with an unknown critical option",
            "RFC 7252 §5.4.1: nothing is executed",
            send(_post(CON, 0x3204, after=[_COSE, (2049, b"x")])),
            ack(0x82, 0x3204),
        ),
        case(
            "an envelope, accepted as JSON only",
            "RFC 7252 §5.10.4",
            send(_post(CON, 0x3205, after=[_COSE, (ACCEPT, b"\x32")])),
            ack(NOT_ACCEPTABLE, 0x3205),
        ),
        case(
            "an envelope in two messages",
            twice,
            send(_post(CON, 0x3206)),
            ack(CHANGED, 0x3206),
            send(_post(CON, 0x3207)),
            ack(CHANGED, 0x3207),
        ),
        case(
            "an envelope without a format",
            format_,
            send(_post(CON, 0x3208, after=[])),
            ack(UNSUPPORTED_FORMAT, 0x3208),
        ),
        case(
            "an envelope as CBOR",
            format_,
            send(_post(CON, 0x3209, after=[(CONTENT_FORMAT, b"\x3c")])),
            ack(UNSUPPORTED_FORMAT, 0x3209),
        ),
        case(
            "an envelope in a format nobody knows",
            format_,
            send(_post(CON, 0x320A, after=[(CONTENT_FORMAT, b"\xfd\xe8")])),
            ack(UNSUPPORTED_FORMAT, 0x320A),
        ),
        case(
            "garbage as an envelope",
            "docs/wire-format.md §9: malformed",
            send(_post(CON, 0x320B, payload=b"garbage")),
            ack(BAD_REQUEST, 0x320B),
        ),
        case(
            "nothing as an envelope",
            "docs/wire-format.md §9: malformed",
            send(_post(CON, 0x320C, payload=b"")),
            ack(BAD_REQUEST, 0x320C),
        ),
        case(
            "an envelope over 1024 bytes",
            "RFC 7252 §5.9.2.9: 4.13 with Size1",
            send(_post(CON, 0x320D, payload=b"x" * 1025)),
            ack(TOO_LARGE, 0x320D, options=[(60, b"\x04\0")]),
        ),
        case(
            "an envelope of nobody",
            "docs/wire-format.md §9: unknown-device",
            send(_post(CON, 0x320E, payload="stranger")),
            ack(UNAUTHORIZED, 0x320E),
        ),
    ]


def _links() -> list[dict[str, Any]]:
    clause, filters = "RFC 6690 §4", "RFC 6690 §4.1: every query has to match"
    asked: list[tuple[str, str, list[bytes], dict[str, Any]]] = [
        (
            "the links",
            clause,
            [],
            {"options": [(CONTENT_FORMAT, b"\x28")], "has": ["</r>", "</time>"]},
        ),
        ("links by rt", filters, [b"rt=tallystick.time"], {"has": ["</time>"], "lacks": ["</r>"]}),
        (
            "links by rt and ct",
            filters,
            [b"rt=tallystick.time", b"ct=60"],
            {"has": ["</time>"], "lacks": ["</r>"]},
        ),
        (
            "links by rt and another's ct",
            filters,
            [b"rt=tallystick.time", b"ct=17"],
            {"lacks": ["</r>", "</time>"]},
        ),
        (
            "links by another's rt and ct",
            filters,
            [b"ct=17", b"rt=tallystick.time"],
            {"lacks": ["</r>", "</time>"]},
        ),
        (
            "links by the start of rt",
            filters,
            [b"rt=tallystick.t*"],
            {"has": ["</time>"], "lacks": ["</r>"]},
        ),
        ("links by href", filters, [b"href=/time"], {"has": ["</time>"], "lacks": ["</r>"]}),
        ("links by what is not there", filters, [b"rt=nothing"], {"lacks": ["</r>", "</time>"]}),
    ]
    return [
        case(
            name,
            why,
            send(get(0x3300 + n, *_LINKS, options=[(URI_QUERY, q) for q in queries])),
            ack(CONTENT, 0x3300 + n, **content),
        )
        for n, (name, why, queries, content) in enumerate(asked)
    ]


def _blocks() -> list[dict[str, Any]]:
    first, second = block(0, more=True, szx=0), block(1, more=True, szx=0)
    ask_first, ask_second = block(0, more=False, szx=0), block(1, more=False, szx=0)
    return [
        case(
            "the links in blocks of 16",
            "RFC 7959 §2.4: a block of the size asked for, and whether more follow",
            send(get(0x3400, *_LINKS, options=[(BLOCK2, ask_first)])),
            ack(CONTENT, 0x3400, options=[(BLOCK2, first)], size=16),
            send(get(0x3401, *_LINKS, options=[(BLOCK2, ask_second)])),
            ack(CONTENT, 0x3401, options=[(BLOCK2, second)], size=16),
        ),
        case(
            "Block2 with a size of 7",
            "RFC 7959 §2.2: reserved; 4.00",
            send(get(0x3402, *_LINKS, options=[(BLOCK2, b"\x07")])),
            ack(BAD_REQUEST, 0x3402),
        ),
        case(
            "Block2 twice",
            "RFC 7959 §2.1, RFC 7252 §5.4.5",
            send(get(0x3403, *_LINKS, options=[(BLOCK2, ask_first), (BLOCK2, ask_first)])),
            ack(0x82, 0x3403),
        ),
    ]
