"""Other people's clients against a running gateway: readings, time and links."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from protocol import cbor_reader
from tests.integration import coap_clients
from tests.integration.coap_clients import Ask, Client, ask
from tests.integration.harness import Site, listen_on_both, packs
from tests.load import LoadDevice

pytestmark = pytest.mark.integration

HOSTS = {"IPv4": "127.0.0.1", "IPv6": "[::1]"}
COSE_MAC0 = 17


class Gateway(NamedTuple):
    site: Site
    device: LoadDevice
    numbers: Iterator[int]

    def url(self, host: str, path: str) -> str:
        return f"coap://{HOSTS[host]}:{self.site.coap_port}{path}"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[Gateway]:
    site = Site(tmp_path_factory.mktemp("interop"))
    listen_on_both(site)
    device = LoadDevice(site.enrol("board"))
    site.start_gateway()
    try:
        yield Gateway(site, device, itertools.count())
    finally:
        site.stop()
    assert [verdict for verdict in site.verdicts() if not verdict.valid] == []


@pytest.fixture(params=["libcoap", "node", "aiocoap"])
def client(request) -> Client:
    return getattr(coap_clients, request.param)()


@pytest.mark.parametrize("non", [False, True], ids=["CON", "NON"])
@pytest.mark.parametrize("host", HOSTS)
def test_the_time_is_told(gateway, client, host, non):
    answer = ask(client, Ask("get", gateway.url(host, "/time"), non=non))

    assert answer.code == "2.05"
    assert cbor_reader.decode(answer.payload) > 0


@pytest.mark.parametrize("non", [False, True], ids=["CON", "NON"])
@pytest.mark.parametrize("host", HOSTS)
def test_a_reading_that_is_posted_gets_a_receipt_and_is_kept(gateway, client, host, non):
    number = next(gateway.numbers)
    sealed = gateway.device.seal(number)
    asked = Ask("post", gateway.url(host, "/r"), sealed, non=non, format=COSE_MAC0)

    answer = ask(client, asked)

    assert answer.code == "2.04"
    assert len(answer.payload) > 60
    assert len(packs(gateway.site.gateway_dir / "ledger.sqlite")["board", 1, number]) == 1


@pytest.mark.parametrize("host", HOSTS)
def test_links_come_in_blocks(gateway, client, host):
    whole = ask(client, Ask("get", gateway.url(host, "/.well-known/core")))

    in_blocks = ask(client, Ask("get", gateway.url(host, "/.well-known/core"), block=16))

    assert whole.code == in_blocks.code == "2.05"
    assert in_blocks.payload == whole.payload
    assert b"</r>" in whole.payload


def test_what_is_not_there_is_said(gateway, client):
    answer = ask(client, Ask("get", gateway.url("IPv4", "/nothing")))

    assert answer.code == "4.04"
