"""One real socket on the loopback: both families, who was asked, who is gone, how much at once."""

import asyncio
import errno
import socket
import sys

import pytest

from gateway.coap.bulk import COUNT, Bulk, Singly, bulk_or_singly
from gateway.coap.udp import UdpSocket
from gateway.errors import ConfigError

pytestmark = pytest.mark.integration

LIMIT_S = 5
MAPPED = "::ffff:127.0.0.1"
EVERYWHERE = ["0.0.0.0", "::"]  # noqa: S104  # a gateway's: both families at once is what is tested


class Door:
    """A socket under test, what came in turn by turn, and whom ICMP named."""

    def __init__(self, host="::", wire=bulk_or_singly):
        self.udp = UdpSocket(host, 0, wire)
        self.turns, self.gone = [], []
        self._news = asyncio.Event()
        self.udp.listen(self._received, self._failed)

    @property
    def datagrams(self):
        return [one for turn in self.turns for one in turn]

    async def until(self, enough):
        async with asyncio.timeout(LIMIT_S):
            while not enough():
                self._news.clear()
                await self._news.wait()

    async def send(self, data, peer):
        """Until it is on its way."""
        self.udp.send(data, peer)
        await asyncio.sleep(0)

    async def received(self, count):
        await self.until(lambda: len(self.datagrams) >= count)
        return self.datagrams

    def _received(self, datagrams):
        self.turns.append(datagrams)
        self._news.set()

    def _failed(self, address):
        self.gone.append(address)
        self._news.set()


class Client:
    """A plain socket of one family that asks `host`."""

    def __init__(self, door, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._there = (host, door.udp.port)
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(LIMIT_S)
        self.socket.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def send(self, data):
        self.socket.sendto(data, self._there)

    def answer(self):
        """What came, and from which address."""
        data, address = self.socket.recvfrom(4096)
        return data, address[:2]


@pytest.fixture(params=[bulk_or_singly, Singly], ids=["in bulk", "singly"])
async def door(request):
    door = Door(wire=request.param)
    yield door
    door.udp.close()


@pytest.fixture
def client(door):
    clients = []

    def make(host="127.0.0.1"):
        clients.append(Client(door, host))
        return clients[-1]

    yield make
    for one in clients:
        one.socket.close()


# 127.0.0.2 is this machine, too: an answer to it from 127.0.0.1 would be another's.
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
async def test_an_answer_comes_from_the_address_that_was_asked(door, client, host):
    asking = client(host)

    asking.send(b"question")
    [(data, peer)] = await door.received(1)
    await door.send(b"answer", peer)

    assert data == b"question"
    assert asking.answer() == (b"answer", (host, door.udp.port))


async def test_who_asks_is_known_by_address_and_port_in_one_form(door, client):
    four, six = client("127.0.0.1"), client("::1")

    four.send(b"4")
    six.send(b"6")
    datagrams = await door.received(2)

    found = {data: peer.address for data, peer in datagrams}
    assert found == {b"4": (MAPPED, four.port, 0, 0), b"6": ("::1", six.port, 0, 0)}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", *EVERYWHERE])
async def test_it_can_be_bound_to_one_address_or_to_all(host):
    door = Door(host)
    asking = Client(door, "::1" if ":" in host else "127.0.0.1")

    asking.send(b"question")
    found = await door.received(1)
    asking.socket.close()
    door.udp.close()

    assert found[0][0] == b"question"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", *EVERYWHERE])
async def test_a_port_that_somebody_has_is_refused(door, host):
    with pytest.raises(ConfigError, match=f"cannot listen for CoAP on {host}:{door.udp.port}"):
        UdpSocket(host, door.udp.port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
async def test_an_address_that_is_not_ours_is_refused(host):
    with pytest.raises(ConfigError) as refused:
        UdpSocket(host, 0)

    assert refused.value.fix == "stop what has the port, or set [coap] host and port"


@pytest.mark.parametrize("host", ["127.0.0.1", *EVERYWHERE])
async def test_a_kernel_without_ipv6_is_told_what_to_do(host):
    def make(family, kind):
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    with pytest.raises(ConfigError, match="Address family not supported") as refused:
        UdpSocket(host, 0, make=make)

    assert "this kernel has no IPv6" in refused.value.fix


async def test_a_datagram_that_was_cut_is_dropped_and_the_longest_is_whole(door, client):
    asking = client()

    asking.send(bytes(2049))
    asking.send(bytes(60_000))
    asking.send(bytes(2048))
    asking.send(b"")
    datagrams = await door.received(2)

    assert [len(data) for data, _ in datagrams] == [2048, 0]


async def test_one_turn_takes_64_datagrams_and_the_next_the_rest(door, client):
    asking = client()
    sent = [b"%d" % n for n in range(200)]

    for data in sent:
        asking.send(data)
    datagrams = await door.received(200)

    assert [len(turn) for turn in door.turns] == [64, 64, 64, 8]
    assert [data for data, _ in datagrams] == sent


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_peer_that_is_gone_is_named_and_others_hear_us(door, client, host):
    leaving, staying = client(host), client(host)
    leaving.send(b"leaving")
    staying.send(b"staying")
    peers = dict(await door.received(2))
    left = peers[b"leaving"].address
    leaving.socket.close()

    for n in range(8):
        door.udp.send(b"to nobody", peers[b"leaving"])
        await door.send(b"%d" % n, peers[b"staying"])
    heard = [staying.answer()[0] for _ in range(8)]
    await door.until(lambda: door.gone)

    assert heard == [b"%d" % n for n in range(8)]
    assert set(door.gone) == {left}
    assert door.udp.send_failures == 0


async def test_what_is_sent_in_one_turn_arrives_whole_and_in_order(door, client):
    asking = client()
    asking.send(b"question")
    [(_, peer)] = await door.received(1)
    sent = [b"%d" % n * (n % 7) for n in range(2 * COUNT + 9)]

    for data in sent[:-1]:
        door.udp.send(data, peer)
    await door.send(sent[-1], peer)

    assert [asking.answer()[0] for _ in sent] == sent


async def test_of_those_sent_in_one_turn_only_what_cannot_be_is_lost(door, client):
    asking = client()
    asking.send(b"question")
    [(_, peer)] = await door.received(1)

    for data in (b"before", bytes(70_000), b"after"):
        door.udp.send(data, peer)
    await asyncio.sleep(0)

    assert [asking.answer()[0] for _ in range(2)] == [b"before", b"after"]
    assert door.udp.send_failures == 1


async def test_datagrams_are_read_though_an_error_waits(door, client):
    leaving, staying = client(), client()
    leaving.send(b"leaving")
    [(_, gone)] = await door.received(1)
    leaving.socket.close()

    await door.send(b"to nobody", gone)
    staying.send(b"question")
    await door.received(2)
    await door.until(lambda: door.gone)

    assert door.gone == [gone.address]


async def test_what_cannot_be_sent_is_counted_and_nobody_hears_of_it(door, client):
    asking = client()
    asking.send(b"question")
    [(_, peer)] = await door.received(1)

    await door.send(bytes(70_000), peer)

    assert door.udp.send_failures == 1
    assert door.gone == []


async def test_after_it_was_closed_sending_does_nothing(client):
    door = Door()
    asking = Client(door)
    asking.send(b"question")
    [(_, peer)] = await door.received(1)
    asking.socket.close()

    door.udp.close()
    await door.send(b"too late", peer)

    assert door.udp.send_failures == 1


def test_this_system_has_the_calls_for_many_datagrams():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as door:
        wire = bulk_or_singly(door)

    assert isinstance(wire, Bulk) == (sys.platform == "linux")
