"""The CoAP door: bodies in blocks (RFC 7959), answers nobody wants (RFC 7967), observing."""

from typing import Any

from tests.protocol.cases.door import (
    BAD_REQUEST,
    BLOCK1,
    BLOCK2,
    CHANGED,
    CON,
    CONTENT,
    CONTINUE,
    CREATED,
    DELETE,
    DELETED,
    ETAG,
    GET,
    INCOMPLETE,
    NO_RESPONSE,
    NON,
    NOT_FOUND,
    OBSERVE,
    PUT,
    SIZE1,
    TOO_LARGE,
    ack,
    acknowledge,
    answer,
    ask,
    block,
    case,
    fresh,
    in_any_order,
    silence,
)

_PARTS = (b"a" * 16, b"b" * 16, b"c" * 5)


def cases() -> list[dict[str, Any]]:
    return [*_uploads(), *_refused(), *_downloads(), *_observing(), *_no_response()]


def _part(
    message_id: int, where: str, number: int, *, more: bool, **content: Any
) -> dict[str, Any]:
    """One of _PARTS, in blocks of 16."""
    option = (BLOCK1, block(number, more=more, szx=0))
    payload = content.pop("payload", _PARTS[number])
    return ask(PUT, message_id, where, option, payload=payload, **content)


def _continue(message_id: int, number: int) -> dict[str, Any]:
    return ack(CONTINUE, message_id, options=[(BLOCK1, block(number, more=True, szx=0))])


def _uploads() -> list[dict[str, Any]]:
    where, twice, over = "home/door/upload", "tmp/door/twice", "tmp/door/over"
    last = (BLOCK1, block(2, more=False, szx=0))
    return [
        case(
            "PUT in blocks",
            "RFC 7959 §2.3, §2.5: 2.31 until the last, each with its Block1",
            *fresh(0x5000, where),
            _part(0x5001, where, 0, more=True),
            _continue(0x5001, 0),
            _part(0x5002, where, 1, more=True),
            _continue(0x5002, 1),
            _part(0x5003, where, 2, more=False),
            ack(CREATED, 0x5003, options=[last]),
            ask(GET, 0x5004, where),
            ack(CONTENT, 0x5004, payload=b"".join(_PARTS)),
        ),
        case(
            "a block that comes twice counts once",
            "RFC 7252 §4.5",
            *fresh(0x5010, twice),
            _part(0x5011, twice, 0, more=True),
            _continue(0x5011, 0),
            _part(0x5011, twice, 0, more=True),
            _continue(0x5011, 0),
            _part(0x5012, twice, 1, more=False),
            ack(CREATED, 0x5012),
            ask(GET, 0x5013, twice),
            ack(CONTENT, 0x5013, payload=_PARTS[0] + _PARTS[1]),
        ),
        case(
            "the first block again starts over",
            "RFC 7959 §2.5",
            *fresh(0x5020, over),
            _part(0x5021, over, 0, more=True),
            _continue(0x5021, 0),
            _part(0x5022, over, 0, more=True, payload=b"z" * 16),
            _continue(0x5022, 0),
            _part(0x5023, over, 1, more=False),
            ack(CREATED, 0x5023),
            ask(GET, 0x5024, over),
            ack(CONTENT, 0x5024, payload=b"z" * 16 + _PARTS[1]),
        ),
    ]


def _refused() -> list[dict[str, Any]]:
    incomplete, wrong = "RFC 7959 §2.9.2: 4.08", "RFC 7959 §2.2, §2.3: 4.00"
    gap, late = "tmp/door/gap", "tmp/door/late"
    reserved = (BLOCK1, b"\x0f")
    return [
        case(
            "a block that is left out",
            incomplete,
            _part(0x5100, gap, 0, more=True),
            _continue(0x5100, 0),
            _part(0x5101, gap, 2, more=False),
            ack(INCOMPLETE, 0x5101),
        ),
        case(
            "a second block without a first",
            incomplete,
            _part(0x5110, late, 1, more=False),
            ack(INCOMPLETE, 0x5110),
        ),
        case(
            "Block1 with a size of 7",
            wrong,
            ask(PUT, 0x5120, "tmp/door/size", reserved, payload=b"x"),
            ack(BAD_REQUEST, 0x5120),
        ),
        case(
            "a block in the middle that is too short",
            wrong,
            _part(0x5130, "tmp/door/short", 0, more=True, payload=b"x" * 15),
            ack(BAD_REQUEST, 0x5130),
        ),
        case(
            "a body that will be too large",
            "RFC 7959 §2.9.3, §4: 4.13 with Size1, before it has come",
            ask(
                PUT,
                0x5140,
                "tmp/door/large",
                (BLOCK1, block(0, more=True, szx=6)),
                (SIZE1, b"\x7f\xff\xff\xff"),
                payload=bytes(1000) + bytes(24),
            ),
            ack(TOO_LARGE, 0x5140, options=[(SIZE1, None)]),
        ),
    ]


def _downloads() -> list[dict[str, Any]]:
    where, large = "tmp/door/down", "tmp/door/kilobytes"
    first, second = (BLOCK1, block(0, more=True, szx=6)), (BLOCK1, block(1, more=False, szx=6))
    return [
        case(
            "GET in blocks of 16",
            "RFC 7959 §2.4: every block with its Block2, and one ETag",
            ask(PUT, 0x5200, where, payload=b"".join(_PARTS)),
            {"answer": "614?520007"},
            ask(GET, 0x5201, where, (BLOCK2, b"")),
            ack(CONTENT, 0x5201, options=[(BLOCK2, b"\x08"), (ETAG, "etag")], payload=_PARTS[0]),
            ask(GET, 0x5202, where, (BLOCK2, b"\x10")),
            ack(CONTENT, 0x5202, options=[(BLOCK2, b"\x18"), (ETAG, None)], payload=_PARTS[1]),
            ask(GET, 0x5203, where, (BLOCK2, b"\x20")),
            ack(CONTENT, 0x5203, options=[(BLOCK2, b"\x20"), (ETAG, None)], payload=_PARTS[2]),
        ),
        case(
            "GET of more than a datagram",
            "RFC 7959 §2.4: the first block, unasked",
            ask(PUT, 0x5210, large, first, payload=bytes(1024)),
            ack(CONTINUE, 0x5210),
            ask(PUT, 0x5211, large, second, payload=b"\x01" * 1024),
            {"answer": "614?521107"},
            ask(GET, 0x5212, large),
            ack(CONTENT, 0x5212, options=[(BLOCK2, b"\x0e")], payload=bytes(1024)),
            ask(GET, 0x5213, large, (BLOCK2, b"\x16")),
            ack(CONTENT, 0x5213, options=[(BLOCK2, b"\x16")], payload=b"\x01" * 1024),
        ),
    ]


def _observing() -> list[dict[str, Any]]:
    register, cancel = (OBSERVE, b""), (OBSERVE, b"\x01")

    def begin(message_id: int, where: str) -> list[dict[str, Any]]:
        return [
            ask(PUT, message_id, where, payload=b"old"),
            {"answer": f"614?{message_id:04x}07"},
            ask(GET, message_id + 1, where, register),
            ack(CONTENT, message_id + 1, options=[(OBSERVE, None)], payload=b"old"),
        ]

    def changed(message_id: int, where: str, payload: bytes) -> list[dict[str, Any]]:
        told = answer(CON, CONTENT, None, b"\x07", options=[(OBSERVE, None)], payload=payload)
        put = ask(PUT, message_id, where, payload=payload)
        return [put, in_any_order(ack(CHANGED, message_id), told)]

    gone = answer(CON, NOT_FOUND, None, b"\x07", without=[OBSERVE])
    paths = [f"tmp/door/observe{n}" for n in range(5)]
    return [
        case(
            "observing until it is cancelled",
            "RFC 7641 §3.1, §3.6: Observe 0 registers, 1 deregisters",
            *begin(0x5300, paths[0]),
            *changed(0x5302, paths[0], b"new"),
            acknowledge(),
            *changed(0x5303, paths[0], b"newer"),
            acknowledge(),
            ask(GET, 0x5304, paths[0], cancel),
            ack(CONTENT, 0x5304, without=[OBSERVE], payload=b"newer"),
            ask(PUT, 0x5305, paths[0], payload=b"newest"),
            ack(CHANGED, 0x5305),
            silence(),
        ),
        case(
            "observing until a notification is reset",
            "RFC 7641 §3.6: a RST removes the observer",
            *begin(0x5310, paths[1]),
            *changed(0x5312, paths[1], b"new"),
            {"send": "7000{mid}"},
            ask(PUT, 0x5313, paths[1], payload=b"newer"),
            ack(CHANGED, 0x5313),
            silence(),
        ),
        case(
            "observing what goes away",
            "RFC 7641 §3.2: an error without Observe is the last notification",
            *begin(0x5320, paths[2]),
            ask(DELETE, 0x5322, paths[2]),
            in_any_order(ack(DELETED, 0x5322), gone),
            acknowledge(),
            ask(PUT, 0x5323, paths[2], payload=b"back"),
            ack(CREATED, 0x5323),
            silence(),
        ),
        case(
            "observing twice with one token",
            "RFC 7641 §4.1: it replaces the first registration",
            *begin(0x5330, paths[3]),
            ask(GET, 0x5332, paths[3], register),
            ack(CONTENT, 0x5332, options=[(OBSERVE, None)]),
            *changed(0x5333, paths[3], b"new"),
            acknowledge(),
            silence(),
            ask(GET, 0x5334, paths[3], cancel),  # else whoever comes after changes it for two
            ack(CONTENT, 0x5334, without=[OBSERVE], payload=b"new"),
        ),
        case(
            "observing what is not there",
            "RFC 7641 §4.1: an error has no Observe, and registers nobody",
            *fresh(0x5340, paths[4]),
            ask(GET, 0x5341, paths[4], register),
            ack(NOT_FOUND, 0x5341, without=[OBSERVE]),
            ask(PUT, 0x5342, paths[4], payload=b"new"),
            ack(CREATED, 0x5342),
            silence(),
        ),
    ]


def _no_response() -> list[dict[str, Any]]:
    where = "tmp/door/quiet"
    everything, successes, refusals = ((NO_RESPONSE, bytes((n,))) for n in (26, 2, 8))
    return [
        case(
            "no answer wanted, by NON",
            "RFC 7967 §2.1: executed, and not answered",
            *fresh(0x5400, where),
            ask(PUT, 0x5401, where, everything, payload=b"x", kind=NON),
            silence(),
            ask(GET, 0x5402, where),
            ack(CONTENT, 0x5402, payload=b"x"),
        ),
        case(
            "no refusal wanted, by NON",
            "RFC 7967 §2.1",
            ask(GET, 0x5410, "tmp/door/nowhere", refusals, kind=NON),
            silence(),
        ),
        case(
            "no success wanted, and it is refused",
            "RFC 7967 §2.1: what is not named is answered",
            ask(GET, 0x5411, "tmp/door/nowhere", successes),
            ack(NOT_FOUND, 0x5411),
        ),
        case(
            "no success wanted, by CON",
            "RFC 7967 §2, RFC 7252 §4.2: a CON is acknowledged all the same",
            ask(PUT, 0x5412, "tmp/door/hushed", successes, payload=b"y"),
            {"answer": "60005412", "bytes": 4},
        ),
    ]
