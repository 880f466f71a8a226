"""A commit that takes long: the request is acknowledged, its answer comes by itself (§5.2.2).

Slow is real: another process's transaction holds the ledger's file, and the writer waits for it.
"""

import contextlib
import socket
import sqlite3
import time
from collections.abc import Iterator

import pytest

from protocol import coap
from protocol.coap import Message
from tests.integration import coap_clients
from tests.integration.coap_clients import Ask
from tests.integration.harness import Site, packs
from tests.load import LoadDevice, acknowledge

pytestmark = pytest.mark.integration

HELD_S = 1.8  # longer than a gateway waits with its empty ACK, shorter than ACK_TIMEOUT
COSE_MAC0 = 17


@contextlib.contextmanager
def slow_commits(site: Site) -> Iterator[None]:
    """Nothing is committed until the block ends."""
    other = sqlite3.connect(site.gateway_dir / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def _post(sealed: bytes, message_id: int) -> bytes:
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, bytes((COSE_MAC0,)))]
    return coap.encode(Message(coap.CON, coap.POST, message_id, b"slow", options, sealed))


def test_a_slow_answer_is_announced_and_comes_as_a_message_of_its_own(site):
    device = LoadDevice(site.enrol("board"))
    site.start_gateway()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.connect(("127.0.0.1", site.coap_port))
        door.settimeout(5)
        request = _post(device.seal(0), 0x51)
        with slow_commits(site):
            started = time.monotonic()
            door.send(request)
            promised = door.recv(2048)
            door.send(request)
            time.sleep(max(0, HELD_S - (time.monotonic() - started)))
        messages = [coap.decode(door.recv(2048))]
        while messages[-1].code == coap.EMPTY:
            messages.append(coap.decode(door.recv(2048)))
        answer = messages[-1]
        acknowledge(door, answer)
        door.settimeout(3.2)  # longer than it waits before it sends the answer again

        assert promised == coap.empty(coap.ACK, 0x51)
        assert {message.message_id for message in messages[:-1]} <= {0x51}
        assert (answer.type, answer.code, answer.token) == (coap.CON, coap.CHANGED, b"slow")
        with pytest.raises(TimeoutError):
            door.recv(2048)
    assert len(packs(site.gateway_dir / "ledger.sqlite")["board", 1, 0]) == 1


def test_clients_take_a_separate_answer(site):
    clients = [coap_clients.libcoap(), coap_clients.node(), coap_clients.aiocoap()]
    device = LoadDevice(site.enrol("board"))
    site.start_gateway()
    url = f"coap://127.0.0.1:{site.coap_port}/r"
    with slow_commits(site):
        processes = [
            client.start(Ask("post", url, device.seal(n), format=COSE_MAC0))
            for n, client in enumerate(clients)
        ]
        time.sleep(HELD_S)

    answers = {
        client.name: [answer.code for answer in client.answers(process)]
        for client, process in zip(clients, processes, strict=True)
    }

    assert answers == {"libcoap": ["2.04"], "node": ["2.04"], "aiocoap": ["2.04"]}
    held = packs(site.gateway_dir / "ledger.sqlite")
    assert [len(held["board", 1, n]) for n in range(3)] == [1, 1, 1]
