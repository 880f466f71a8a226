"""What becomes of every form of datagram, before anybody looks at what it asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.coap.guard import Answer, Drop, Passed, Reset, Settled, judge
from gateway.coap.options import KNOWN, fits, is_critical
from protocol import coap
from protocol.coap import ACK, CON, GET, NON, POST, RST, Message

ID = 0x1234
KINDS = {"CON": CON, "NON": NON, "ACK": ACK, "RST": RST}
PATH = (11, b"r")


def head(kind, code, token_bytes=0):
    return bytes((0x40 | kind << 4 | token_bytes, code)) + ID.to_bytes(2, "big")


def request(*options, kind=CON, code=GET, token=b"\xa5", payload=b""):
    return coap.encode(Message(kind, code, ID, token, list(options), payload))


def message(data):
    return coap.decode(data)


SHORT = {"nothing": b"", "three bytes": b"\x40\x01\x12"}
VERSIONS = {f"version {n}": bytes((n << 6, GET, 0x12, 0x34)) for n in (0, 2, 3)}


@pytest.mark.parametrize("data", [*SHORT.values(), *VERSIONS.values()], ids=[*SHORT, *VERSIONS])
def test_another_protocol_is_ignored(data):
    assert judge(data) == Drop("version")


# What follows the head, whether a token, options, or a payload; RFC 7252 §3.
MALFORMED = {
    "a token of nine bytes": lambda kind: head(kind, GET, 9) + bytes(9),
    "a token of 15 bytes": lambda kind: head(kind, GET, 15) + bytes(15),
    "a token that ends too early": lambda kind: head(kind, GET, 4) + bytes(3),
    "a marker and no payload": lambda kind: head(kind, GET) + b"\xff",
    "a delta of 15": lambda kind: head(kind, GET) + b"\xf0",
    "a length of 15": lambda kind: head(kind, GET) + b"\x0f",
    "an option that ends too early": lambda kind: head(kind, GET) + b"\xb2r",
    "an option head that ends too early": lambda kind: head(kind, GET) + b"\xe0\x01",
    "an option number over 65535": lambda kind: head(kind, GET) + b"\xe0\xff\xff",
    "an empty message with a token": lambda kind: head(kind, 0, 1) + b"a",
    "an empty message with a payload": lambda kind: head(kind, 0) + b"\xffa",
    "code 1.00": lambda kind: head(kind, 1 << 5),
    "code 6.01": lambda kind: head(kind, 6 << 5 | 1),
    "code 7.31": lambda kind: head(kind, 7 << 5 | 31),
}


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_format_error_resets_a_confirmable_message_and_nothing_else(kind, make):
    expected = Reset(ID) if kind == CON else Drop("malformed")

    assert judge(make(kind)) == expected


EMPTY = {CON: Reset(ID), NON: Drop("malformed"), ACK: Settled(ID, False), RST: Settled(ID, True)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_empty_message_is_a_ping_an_end_of_ours_or_nothing(kind):
    assert judge(coap.empty(kind, ID)) == EMPTY[kind]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_response_of_any_code_is_answered(kind):
    codes = [code for code in range(256) if code >> 5 in (2, 3, 4, 5)]

    rulings = {judge(head(kind, code)) for code in codes}
    rulings |= {judge(head(kind, code, 1) + b"a\xff!") for code in codes}

    assert rulings == {Drop("response")}


@pytest.mark.parametrize("kind", [ACK, RST], ids=["ACK", "RST"])
def test_no_request_in_an_ack_or_rst_is_answered(kind):
    rulings = {judge(head(kind, code)) for code in range(1, 32)}

    assert rulings == {Drop("malformed")}


@given(st.binary(max_size=40))
def test_whatever_comes_in_an_ack_or_rst_nothing_is_sent(tail):
    for kind in (ACK, RST):
        assert isinstance(judge(bytes((0x40 | kind << 4,)) + tail), Settled | Drop)


@given(st.binary(max_size=60))
def test_any_bytes_have_a_ruling(tail):
    for kind in (CON, NON):
        judge(bytes((0x41 | kind << 4, GET, 0x12, 0x34, 0xA5)) + tail)


GOOD = {
    "no option": [],
    "a path": [PATH, (11, b"temperature")],
    "a device's": [PATH, (12, b"\x11")],
    "all that a GET may have": [
        *((1, bytes(8)), (3, b"host"), (4, b"etag"), (5, b""), (6, b""), (7, b"\x16\x33")),
        *((9, b"\x09"), PATH, (12, b""), (15, b"a=1"), (16, b"\x10"), (17, b"")),
        *((23, b"\x06"), (27, b"\x06"), (28, b""), (60, b"\x05"), (252, b"echo"), (258, b"\x02")),
        *((292, b""), (292, b"tag"), (65001, b"token")),
    ],
}


@pytest.mark.parametrize("options", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_a_good_request_passes_as_it_is(kind, options):
    data = request(*options, kind=kind, code=POST, payload=b"21")

    assert judge(data) == Passed(message(data), data)


BAD_CRITICAL = {
    "unknown": (99, [(99, b"")]),
    "unknown, high": (9999, [PATH, (9999, b"x")]),
    "too long": (1, [(1, bytes(9))]),
    "too short": (3, [(3, b"")]),
    "twice": (17, [(17, b""), (17, b"")]),
    "not text": (11, [(11, b"\xff")]),
    "cut within a letter": (15, [(15, b"\xc3")]),
    "after a good one": (13, [PATH, (13, b"")]),
    "Proxy-Uri, not text": (35, [(35, b"\xff")]),
}


@pytest.mark.parametrize(("number", "options"), BAD_CRITICAL.values(), ids=BAD_CRITICAL)
def test_a_critical_option_that_we_do_not_understand_is_named(number, options):
    data = request(*options)

    assert judge(data) == Answer(message(data), 0x82, b"option %d" % number)


@pytest.mark.parametrize(("number", "options"), BAD_CRITICAL.values(), ids=BAD_CRITICAL)
def test_in_a_non_it_is_rejected_silently(number, options):
    assert judge(request(*options, kind=NON)) == Drop("critical-option")


# Elective (even) options that do not fit; what is left of the request.
STRIPPED = {
    "unknown": ([PATH, (20, b"x")], [PATH]),
    "unknown, high": ([PATH, (65000, b"x")], [PATH]),
    "Max-Age, which is for responses": ([PATH, (14, b"\x05")], [PATH]),
    "between others": (
        [PATH, (12, b""), (14, bytes(5)), (60, b"\x01")],
        [PATH, (12, b""), (60, b"\x01")],
    ),
    "too long": ([(6, bytes(4)), PATH], [PATH]),
    "twice: the second": ([(12, b"\x11"), (12, b"\x2a")], [(12, b"\x11")]),
    "three times": ([(60, b"\x01")] * 3, [(60, b"\x01")]),
}


@pytest.mark.parametrize(("options", "left"), STRIPPED.values(), ids=STRIPPED)
@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_an_elective_option_that_we_do_not_understand_is_taken_out(kind, options, left):
    ruling = judge(request(*options, kind=kind, code=POST, payload=b"21"))

    expected = request(*left, kind=kind, code=POST, payload=b"21")
    assert ruling == Passed(message(expected), expected)


@pytest.mark.parametrize(
    "option", [(35, b"coap://elsewhere/"), (39, b"http")], ids=["Uri", "Scheme"]
)
@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_we_are_no_proxy(kind, option):
    data = request(option, kind=kind)

    assert judge(data) == Answer(message(data), 0xA5, b"")


def test_what_is_too_long_without_its_odd_options_is_refused_like_any_other():
    data = request((20, b"x")) + b"\xff" + bytes(1300)

    ruling = judge(data)

    assert (ruling.request.message_id, ruling.code, ruling.payload) == (ID, 0x8D, b"")


@given(st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=10)), max_size=6))
def test_what_passes_has_known_options_only_and_lost_no_critical_one(options):
    options.sort(key=lambda option: option[0])
    data = request(*options)

    ruling = judge(data)

    if isinstance(ruling, Passed):
        kept = ruling.message.options
        previous = [-1, *(number for number, _ in kept)]
        assert all(
            fits(n, value, before) for (n, value), before in zip(kept, previous, strict=False)
        )
        assert [n for n, _ in options if is_critical(n)] == [n for n, _ in kept if is_critical(n)]
        assert message(ruling.data) == ruling.message
        assert {n for n, _ in kept} <= set(KNOWN)
