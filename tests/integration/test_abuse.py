"""What aiocoap as it comes suffers from, and what our gateway makes of it: `-s` shows both.

The figure of stock aiocoap is there so that a case that no longer abuses anything is noticed.
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from protocol import coap
from tests.benchmarks.loading import Generator
from tests.benchmarks.servers import Packs, posts
from tests.integration import abuse
from tests.integration.abuse import Peer, Server
from tests.integration.flood import flood, rss_mb
from tests.integration.harness import allow_tokens
from tests.integration.test_interop_slow import slow_commits
from tests.load import LoadDevice

pytestmark = pytest.mark.integration

PER_S = 3000.0
POST_R = [(coap.URI_PATH, b"r")]
TMP = [(coap.URI_PATH, b"tmp"), (coap.URI_PATH, b"watched")]
COSE = [*POST_R, (coap.CONTENT_FORMAT, b"\x11")]


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


@pytest.mark.slow
def test_options_nobody_knows_take_no_memory(stock, ours):
    before, after = (_grown_mb(server, abuse.new_option_numbers(1100)) for server in (stock, ours))

    print(f"\n1000 datagrams, each with 200 new option numbers: {before:.1f} -> {after:.1f} MB")
    assert before > 50
    assert after < 2


@pytest.mark.slow
def test_uploads_that_never_end_take_little_memory(stock, ours):
    before, after = (
        _grown_mb(server, abuse.first_blocks(3100, POST_R)) for server in (stock, ours)
    )

    print(f"\n3000 uploads begun with 1 kB: {before:.1f} -> {after:.1f} MB")
    assert before > 8
    assert after < 4


def test_paths_that_are_no_text_do_not_fill_the_log(stock, ours):
    grown = []
    for server in (stock, ours):
        start = server.log.stat().st_size
        flood(server.port, abuse.bad_texts(500), per_s=PER_S)
        grown.append(server.log.stat().st_size - start)

    print(f"\n500 paths that are no UTF-8: {grown[0]} -> {grown[1]} bytes of log")
    assert grown[0] > 100_000
    assert grown[1] < 5_000


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
        for vanishing in peers[::2]:
            told = vanishing.receive(5)
            assert told is not None
            assert told.code == coap.EMPTY  # it was told that it takes long
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
def test_a_reset_ends_notifications_to_a_forged_address(stock, site):
    """By NON and under another's address, as a forger would; its owner resets what it gets."""
    token = allow_tokens(site)["admin"]
    site.start_gateway()
    by_token = [(abuse.TOKEN, token.encode())]
    writer = Peer(site.coap_port)

    def change() -> None:
        put = abuse.request(coap.CON, abuse.PUT, next(ids), [*TMP, *by_token], b"%d" % next(ids))
        writer.send(put)
        assert writer.receive(2) is not None

    before = _told_after_reset(stock.port, [(coap.URI_PATH, b"watched")], lambda: None)
    ids = itertools.count()
    after = _told_after_reset(site.coap_port, [*TMP, *by_token], change)
    writer.close()

    print(f"\nnotifications in 3 s after the first RST: {before} -> {after}")
    assert before > 10
    assert after == 0


def _told_after_reset(port: int, path: abuse.Options, change: Callable[[], None]) -> int:
    """How many come in 3 s, where the first and each later one is reset."""
    peer = Peer(port)
    change()
    peer.send(abuse.request(coap.NON, coap.GET, 0x77, [(abuse.OBSERVE, b""), *path]))
    first = peer.receive(2)
    assert first is not None
    assert first.option(abuse.OBSERVE) is not None
    change()
    told = peer.receive(2)
    assert told is not None
    peer.send(coap.empty(coap.RST, told.message_id))
    count = 0
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        change()
        message = peer.receive(0.1)
        if message is not None:
            count += 1
            peer.send(coap.empty(coap.RST, message.message_id))
    peer.close()
    return count


@pytest.mark.slow
def test_a_device_never_waits_for_what_is_remembered_of_others(stock, site, tmp_path):
    """200,000 requests of 64 addresses: aiocoap remembers each for 247 s, and its GC walks them."""
    generator = Generator(tmp_path)
    device = site.enrol("board")
    packs = Packs({"board": bytes.fromhex(str(device["secret"]))}, 1, 1)
    site.start_gateway()
    grown, pauses = [], []
    for pid, port in ((stock.pid, stock.port), (site.gateway.pid, site.coap_port)):
        before = rss_mb(pid)
        load = generator.run(
            port,
            posts(packs)(200_000),
            window=64,
            sources=64,
            seconds=120,
            codes=(coap.CHANGED,),
            pid=pid,
        )
        grown.append((rss_mb(pid) - before) * 2**20 / load.answered)
        pauses.append(load.longest_gap_us / 1000)
        print(f"\n{load}")

    print(f"bytes a request {grown[0]:.0f} -> {grown[1]:.0f}; longest pause, ms {pauses}")
    assert grown[0] > 1000
    assert grown[1] <= 200
    assert pauses[1] < pauses[0]
