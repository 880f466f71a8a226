"""Other people's clients and resources: methods, bodies in blocks both ways, observing."""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.integration import coap_clients
from tests.integration.coap_clients import Answer, Ask, Client, ask
from tests.integration.harness import Site, allow_tokens, listen_on_both

pytestmark = pytest.mark.integration

HOSTS = {"IPv4": "127.0.0.1", "IPv6": "[::1]"}
TOKEN = 65001
LARGE = bytes(n % 251 for n in range(5000))
BY_64 = LARGE[:700]
_paths = itertools.count()


class Resource(NamedTuple):
    """One that no other test uses, asked for with a token that may do everything."""

    client: Client
    url: str
    token: str

    def asked(self, method: str, payload: bytes = b"", **more: object) -> Ask:
        options = ((TOKEN, self.token.encode()),)
        return Ask(method, self.url, payload, options=options)._replace(**more)

    def ask(self, method: str, payload: bytes = b"", **more: object) -> Answer:
        return ask(self.client, self.asked(method, payload, **more))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[tuple[Site, str]]:
    site = Site(tmp_path_factory.mktemp("interop"))
    listen_on_both(site)
    token = allow_tokens(site)["admin"]
    site.start_gateway()
    try:
        yield site, token
    finally:
        site.stop()
    assert "Traceback" not in site.gateway_log()
    assert [verdict for verdict in site.verdicts() if not verdict.valid] == []


@pytest.fixture(params=["libcoap", "node", "aiocoap"])
def client(request) -> Client:
    return getattr(coap_clients, request.param)()


@pytest.fixture
def resource(host, gateway, client) -> Resource:
    return _resource(host, gateway, client)


def _resource(host: str, gateway: tuple[Site, str], client: Client) -> Resource:
    site, token = gateway
    url = f"coap://{HOSTS[host]}:{site.coap_port}/home/interop/{next(_paths)}"
    return Resource(client, url, token)


def _slow(*values: object) -> object:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("host", "non"),
    [("IPv4", False), ("IPv6", True), _slow("IPv6", False), _slow("IPv4", True)],
)
def test_a_resource_is_made_changed_read_and_deleted(resource, non):
    told = [
        resource.ask("put", b"21.5", non=non).code,
        resource.ask("put", b"22", non=non).code,
        resource.ask("post", b".5", non=non).code,
        resource.ask("get", non=non),
        resource.ask("delete", non=non).code,
        resource.ask("get", non=non).code,
    ]

    assert told[:3] == ["2.01", "2.04", "2.04"]
    assert told[3] == Answer("2.05", b"22.5")
    assert told[4:] == ["2.02", "4.04"]


@pytest.mark.parametrize("host", ["IPv6", _slow("IPv4")])
def test_a_large_body_goes_and_comes_in_blocks(resource):
    put = resource.ask("put", LARGE, block=1024)

    held = resource.ask("get")

    assert put.code == "2.01"
    assert held == Answer("2.05", LARGE)


@pytest.mark.parametrize("host", ["IPv4", _slow("IPv6")])
def test_small_blocks_are_taken_and_given(resource):
    put = resource.ask("put", BY_64, block=64)

    held = resource.ask("get", block=64)

    assert put.code == "2.01"
    assert held == Answer("2.05", BY_64)


@pytest.mark.parametrize("host", HOSTS)
def test_observers_are_told_what_is_new(host, gateway):
    clients = [coap_clients.libcoap(), coap_clients.node(), coap_clients.aiocoap()]
    watched = _resource(host, gateway, coap_clients.aiocoap())
    watched.ask("put", b"old")

    asked = watched.asked("get", answers=3, timeout_s=5)
    before = _observed(gateway[0])
    observing = [client.start(asked) for client in clients]
    gateway[0].wait_until(lambda: _observed(gateway[0]) >= before + 3, "all three are registered")
    for value in (b"new", b"newer"):
        watched.ask("put", value)
    told = {
        client.name: [answer.payload for answer in client.answers(process)][:3]
        for client, process in zip(clients, observing, strict=True)
    }

    assert told == {name: [b"old", b"new", b"newer"] for name in ("libcoap", "node", "aiocoap")}


def _observed(site: Site) -> float:
    """How many GETs with Observe were answered so far."""
    assert site.gateway is not None
    text = site.gateway.read("/metrics").decode()
    found = re.findall(r'answers_total\{code="2.xx",method="observe"\} ([\d.e+]+)', text)
    return sum(map(float, found))
