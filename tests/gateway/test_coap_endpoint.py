"""What becomes of each datagram on the socket: who is answered, how often, and who never is."""

import itertools

import pytest

from gateway.coap.bulk import Peer
from gateway.coap.endpoint import observer_of, peer_of
from protocol import coap
from protocol.coap import ACK, CON, GET, NON, POST, RST, Message
from tests.gateway.doorstep import BURST, Bench
from tests.gateway.posting import OTHER, PEER, TOKEN, answer, pack

BAD_OPTION, RATE, BUSY, NO_PROXY = 0x82, 0x9D, 0xA3, 0xA5
MAX_AGE_1, MAX_AGE_5 = b"\xd1\x01\x01", b"\xd1\x01"


@pytest.fixture
async def bench():
    bench = Bench()
    yield bench
    await bench.endpoint.stop()
    assert bench.udp.closed


@pytest.fixture
async def open_bench():
    """Without a share that matters."""
    bench = Bench(per_s=100_000)
    yield bench
    await bench.endpoint.stop()


def request(*options, kind=CON, code=GET, message_id=1, token=TOKEN):
    return coap.encode(Message(kind, code, message_id, token, list(options), b""))


async def test_one_turn_brings_readings_to_the_ledger_and_requests_to_aiocoap(bench):
    bench.get(pack(0, message_id=1), request(message_id=2), pack(1, message_id=3))
    bench.post.sequencer.commit()

    assert [one.mid for one in bench.executed] == [2]
    assert [coap.decode(data).message_id for data, _ in bench.udp.sent] == [1, 3]


# --- reflection -----------------------------------------------------------------------------


@pytest.mark.parametrize("peer", [PEER, OTHER], ids=["IPv4", "another"])
async def test_no_ack_rst_or_response_of_any_code_is_answered(open_bench, peer):
    codes = [0, *(code for code in range(256) if code >> 5 in (2, 3, 4, 5))]
    heads = [bytes((0x40 | kind << 4, code, 0x12, 0x34)) for kind in (ACK, RST) for code in codes]
    heads += [
        bytes((0x40 | kind << 4, code, 0x12, 0x34)) for kind in (CON, NON) for code in codes[1:]
    ]

    sent = open_bench.get(*heads, *(head + b"\xff!" for head in heads if head[1]), peer=peer)

    assert sent == []
    assert open_bench.executed == []


async def test_two_endpoints_that_hear_each_other_fall_silent(open_bench):
    said = open_bench.get(
        b"\x40\x01\x12\x34\xff",  # a marker and no payload
        coap.empty(CON, 7),
        request((99, b"")),
        request((35, b"coap://x/"), kind=NON, message_id=2),
        pack(0)[:-1],
    )

    echoed = open_bench.get(*said)

    assert len(said) == 5
    assert echoed == []


# --- what is wrong ----------------------------------------------------------------------------


async def test_a_ping_and_a_format_error_are_reset(bench):
    sent = bench.get(coap.empty(CON, 0x1234), b"\x49\x01\x12\x35")

    assert sent == [coap.empty(RST, 0x1234), coap.empty(RST, 0x1235)]
    assert bench.count("reset") == 2


async def test_resets_are_limited_for_each_source(open_bench):
    pings = [coap.empty(CON, n) for n in range(1000)]

    at_once = [len(open_bench.get(*pings, peer=peer)) for peer in (PEER, OTHER)]
    open_bench.now_ms = 1000
    later = len(open_bench.get(*pings))

    assert (at_once, later) == ([200, 200], 100)


# What comes, and what is answered to a CON and to a NON.
REFUSED = {
    "a critical option": ((99, b""), (BAD_OPTION, b"\xffoption 99"), None),
    "a proxy": ((39, b"coap"), (NO_PROXY, b""), (NO_PROXY, b"")),
}


@pytest.mark.parametrize(("option", "con", "non"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_request_hears_why(bench, option, con, non):
    assert bench.get(request(option, message_id=9)) == [answer(ACK, *con, message_id=9)]
    sent = bench.get(request(option, kind=NON, message_id=10))

    own = [coap.decode(data).message_id for data in sent]
    assert sent == ([] if non is None else [answer(NON, *non, message_id=own[0])])
    assert 10 not in own


@pytest.mark.parametrize(
    "data", [b"", b"\x40\x01\x12", b"\x00\x01\x12\x34", b"\x16\x03\x01\x02\x00"]
)
async def test_another_protocol_hears_nothing(bench, data):
    assert bench.get(data) == []
    assert bench.count("version") == 1


# --- shares -----------------------------------------------------------------------------------


async def test_over_its_share_a_source_is_told_at_most_once_a_second(bench):
    told = []
    numbers = itertools.count()

    for turn in range(40):  # 2 s
        bench.now_ms = 50 * turn
        sent = bench.get(*(request(message_id=next(numbers)) for _ in range(10)))
        told += [(bench.now_ms, data[4 + len(TOKEN) :]) for data in sent if data[1] == RATE]

    assert [(now_ms, tail) for now_ms, tail in told] == [(50, MAX_AGE_1), (1050, MAX_AGE_1)]
    assert len(bench.executed) == BURST + 19
    assert bench.count("rate") == 400 - BURST - 19


@pytest.mark.parametrize(
    "data",
    [
        request(kind=NON),
        pack(0, kind=NON),
        coap.empty(CON, 1),
        coap.empty(ACK, 1),
        b"\x60\x45\x12\x34",
        b"\x40\x01\x12\x34\xff",
        request((99, b"")),
        b"\x00",
    ],
    ids=["NON", "NON readings", "ping", "ACK", "response", "format", "option", "version"],
)
async def test_over_its_share_nothing_but_a_whole_con_request_is_answered(bench, data):
    bench.get(*(request(message_id=n) for n in range(BURST)))

    assert bench.get(data) == []


async def test_readings_over_the_share_are_told_and_not_judged(bench):
    bench.get(*(request(message_id=n) for n in range(BURST)))

    sent = bench.get(pack(0, message_id=77))

    assert sent == [answer(ACK, RATE, MAX_AGE_1, message_id=77)]
    assert bench.post.sequencer.waiting == []


async def test_one_source_takes_nothing_of_anothers_share(bench):
    bench.get(*(request(message_id=n) for n in range(100)))

    bench.get(pack(0), peer=OTHER)

    assert len(bench.post.sequencer.waiting) == 1


async def test_all_ports_of_one_address_share(bench):
    peers = [Peer((PEER.address[0], port, 0, 0), []) for port in range(100)]

    for peer in peers:
        bench.get(pack(0), peer=peer)

    assert len(bench.post.sequencer.waiting) == BURST


# --- what we have sent ------------------------------------------------------------------------


def confirmed(bench, message_id, peer=PEER):
    data = coap.encode(Message(CON, 0x45, message_id, TOKEN, [], b"21"))
    bench.endpoint.send_confirmed(data, peer)
    return data


@pytest.mark.parametrize("kind", [ACK, RST], ids=["ACK", "RST"])
async def test_an_ack_or_rst_ends_what_was_sent_and_no_observer_hears_of_it(bench, kind):
    confirmed(bench, 7)

    bench.get(coap.empty(kind, 7))

    assert len(bench.messages.exchanges) == 0
    assert bench.observing.heard == []


async def test_any_other_ack_or_rst_is_for_whoever_observes(bench):
    bench.get(coap.empty(ACK, 7), coap.empty(RST, 8))

    who = observer_of(PEER)
    assert bench.observing.heard == [("acknowledged", who, 7), ("reset", who, 8)]


async def test_a_peer_that_is_gone_is_sent_nothing_more_and_others_are(bench):
    confirmed(bench, 1, PEER)
    kept = confirmed(bench, 2, OTHER)

    bench.udp.failed(PEER.address)
    bench.udp.sent.clear()
    bench.messages.tick(3001)

    assert bench.udp.sent == [(kept, OTHER)]
    assert bench.count("unreachable") == 1


async def test_message_ids_of_ours_go_round_and_never_leave_16_bits(bench):
    ids = [bench.endpoint.next_message_id() for _ in range((1 << 16) + 1)]

    assert set(ids) == set(range(1 << 16))
    assert ids[0] == ids[-1]


@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
async def test_a_request_without_room_is_told_when_to_come_again(bench, kind):
    asked = Message(kind, POST, 9, TOKEN, [], b"")

    bench.endpoint.shed(asked, PEER)

    if kind == NON:
        assert bench.udp.sent == []
    else:
        [(data, peer)] = bench.udp.sent
        assert (data[:-1], peer) == (answer(ACK, BUSY, MAX_AGE_5, message_id=9), PEER)
        assert 5 <= data[-1] <= 7


@pytest.mark.parametrize("peer", [PEER, OTHER], ids=["from PKTINFO", "without"])
def test_an_observer_is_a_peer_that_an_answer_can_go_to(peer):
    assert peer_of(observer_of(peer)) == peer
