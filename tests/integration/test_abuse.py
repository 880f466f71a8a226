"""What aiocoap as it comes suffers from, and what our gateway makes of it: `-s` shows both.

The figure of stock aiocoap is there so that a case that no longer abuses anything is noticed.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from protocol import coap
from tests.integration import abuse
from tests.integration.abuse import Peer, Server
from tests.integration.flood import flood, rss_mb
from tests.integration.test_interop_slow import slow_commits
from tests.load import LoadDevice

pytestmark = pytest.mark.integration

PER_S = 3000.0
POST_R = [(coap.URI_PATH, b"r")]
COSE = [*POST_R, (coap.CONTENT_FORMAT, b"\x11")]
TO_COME = pytest.mark.xfail(reason="our own message interface is to come", strict=True)


@pytest.fixture
def stock(tmp_path) -> Iterator[Server]:
    with abuse.stock(tmp_path) as server:
        yield server


@pytest.fixture
def ours(site, tmp_path) -> Server:
    return Server(site.start_gateway().pid, site.coap_port, tmp_path / "gateway.log")


def _grown_mb(server: Server, datagrams: Iterable[bytes]) -> float:
    """Memory that it does not give back, after a first few for what is made once."""
    made = iter(datagrams)
    flood(server.port, (next(made) for _ in range(100)), per_s=PER_S)
    before = rss_mb(server.pid)
    flood(server.port, made, per_s=PER_S)
    return rss_mb(server.pid) - before


@TO_COME
@pytest.mark.slow
def test_options_nobody_knows_take_no_memory(stock, ours):
    before, after = (_grown_mb(server, abuse.new_option_numbers(1100)) for server in (stock, ours))

    print(f"\n1000 datagrams, each with 200 new option numbers: {before:.1f} -> {after:.1f} MB")
    assert before > 50
    assert after < 2


@TO_COME
@pytest.mark.slow
def test_uploads_that_never_end_take_little_memory(stock, ours):
    before, after = (
        _grown_mb(server, abuse.first_blocks(3100, POST_R)) for server in (stock, ours)
    )

    print(f"\n3000 uploads begun with 1 kB: {before:.1f} -> {after:.1f} MB")
    assert before > 8
    assert after < 4


@TO_COME
def test_paths_that_are_no_text_do_not_fill_the_log(stock, ours):
    grown = []
    for server in (stock, ours):
        start = server.log.stat().st_size
        flood(server.port, abuse.bad_texts(500), per_s=PER_S)
        grown.append(server.log.stat().st_size - start)

    print(f"\n500 paths that are no UTF-8: {grown[0]} -> {grown[1]} bytes of log")
    assert grown[0] > 100_000
    assert grown[1] < 5_000


@TO_COME
def test_peers_that_vanish_cost_nobody_else_an_answer(stock, ours, site):
    device = LoadDevice(site.enrol("board"))
    slow = [abuse.request(coap.CON, coap.POST, n, [(coap.URI_PATH, b"slow")]) for n in range(40)]
    posts = [abuse.request(coap.CON, coap.POST, n, COSE, device.seal(n)) for n in range(40)]

    before = _answered_beside_vanished(stock.port, slow, contextlib.nullcontext())
    after = _answered_beside_vanished(ours.port, posts, slow_commits(site))

    print(f"\nof 20 clients beside 20 that vanish: {before} -> {after} are answered")
    assert before < 20
    assert after == 20


def _answered_beside_vanished(
    port: int, requests: list[bytes], held: contextlib.AbstractContextManager[None]
) -> int:
    """How many of twenty hear their answer, while answers to twenty others come back as ICMP."""
    peers = [Peer(port) for _ in requests]
    with held:
        for peer, request in zip(peers, requests, strict=True):
            peer.send(request)
        time.sleep(1.3)  # until they are told that it takes long
        for vanishing in peers[::2]:
            vanishing.close()
    with ThreadPoolExecutor(len(peers)) as pool:
        answered = sum(pool.map(_hears, peers[1::2], [coap.CHANGED] * len(peers)))
    for peer in peers[1::2]:
        peer.close()
    return answered


def _hears(peer: Peer, code: int) -> bool:
    """Within two seconds, whatever else comes before."""
    for message in peer.received(2):
        if message.code == code:
            peer.send(coap.empty(coap.ACK, message.message_id))
            return True
    return False


@TO_COME
def test_an_id_of_our_own_never_replaces_an_answer_that_is_remembered(stock, ours, site):
    device = LoadDevice(site.enrol("board"))

    before = _repeated_alike(stock.port, POST_R, [b"x"] * 9)
    after = _repeated_alike(ours.port, COSE, [device.seal(n) for n in range(9)])

    print(f"\na request again, after its id was also one of the server's: {before} -> {after}")
    assert before == "another answer"
    assert after == "its answer"


def _repeated_alike(port: int, options: abuse.Options, bodies: list[bytes]) -> str:
    """A CON with the id that the server is about to use itself, and again afterwards."""
    peer = Peer(port)
    first = _posted(peer, coap.NON, 0x10, options, bodies[0])
    own = (first.message_id + 3) & 0xFFFF
    held = _posted(peer, coap.CON, own, options, bodies[1])
    for n, body in enumerate(bodies[2:]):
        _posted(peer, coap.NON, own + 0x100 + n, options, body, b"o")
    again = _posted(peer, coap.CON, own, options, bodies[1])
    peer.close()
    return "its answer" if again == held else "another answer"


def _posted(
    peer: Peer, kind: int, message_id: int, options: abuse.Options, body: bytes, token: bytes = b"t"
) -> coap.Message:
    peer.send(abuse.request(kind, coap.POST, message_id, options, body, token))
    answer = peer.receive(5)
    assert answer is not None
    return answer


@pytest.mark.slow
def test_a_reset_ends_notifications_to_a_forged_address(stock, ours, site):
    """By NON and under another's address, as a forger would; its owner resets what it gets."""
    watched = [(coap.URI_PATH, b"watched")]
    before = _told_after_reset(stock.port, watched, lambda: None)
    after = _told_after_reset(ours.port, RESOURCE, _writer(ours.port, site))

    print(f"\nnotifications in 3 s after a RST: {before} -> {after}")
    assert before > 10
    assert after == 0


def _told_after_reset(port: int, path: abuse.Options, change: Callable[[], None]) -> int:
    peer = Peer(port)
    change()
    peer.send(abuse.request(coap.NON, coap.GET, 0x77, [OBSERVE, *path, *SHOWN]))
    count = 0
    resets = 0
    ends = time.monotonic() + 4
    while time.monotonic() < ends:
        change()
        message = peer.receive(0.2)
        if message is None:
            continue
        count += resets > 0 and ends - time.monotonic() < 3
        if message.option(OBSERVE[0]) is not None:
            peer.send(coap.empty(coap.RST, message.message_id))
            resets += 1
    peer.close()
    assert resets
    return count
