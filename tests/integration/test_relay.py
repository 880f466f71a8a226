"""A network that loses 30 %, repeats 20 % and reorders, both ways: once is once, kept is kept."""

import re
import threading
import time
from collections import Counter

import httpx2
import pytest

from protocol import coap
from tests.integration import abuse, coap_clients
from tests.integration.abuse import Peer
from tests.integration.coap_clients import Ask, ask
from tests.integration.harness import Site, allow_tokens, packs
from tests.load import LoadDevice
from tests.relay import Relay

pytestmark = pytest.mark.integration

LOG = ("home", "relay", "log")
APPENDS, AGAIN_S = 15, 0.2
BAD = {"loss": 0.3, "duplicate": 0.2, "reorder": 0.2}


def outcomes(site: Site) -> dict[str, float]:
    """How often each word was the outcome of a request over CoAP."""
    text = httpx2.get(f"http://127.0.0.1:{site.gateway_http}/metrics").text
    found = re.findall(r'requests_total\{door="coap",outcome="([\w-]+)"\} ([\d.e+]+)', text)
    return {word: float(count) for word, count in found}


def _through_the_relay(site: Site, *, devices: int, seconds: float, seed: int) -> None:
    site.start_gateway()
    with Relay(("127.0.0.1", site.coap_port), seed=seed, **BAD) as relay:
        boards = [
            LoadDevice(site.enrol(f"board-{n}") | {"gateway": f"127.0.0.1:{relay.port}"})
            for n in range(devices)
        ]
        for board in boards:
            board.start()
        time.sleep(seconds)  # they send as fast as they are answered
        for board in boards:
            board.end()
    held = packs(site.gateway_dir / "ledger.sqlite")
    counted = outcomes(site)
    acknowledged = {number: index for board in boards for number, index in board.kept.items()}
    print(f"seed {seed}: {len(acknowledged)} acknowledged, {len(held)} kept, {counted}, relay:")
    print(f"  {relay.forwarded} forwarded, {relay.lost} lost, {relay.repeated} repeated")

    assert len(acknowledged) > devices
    assert {number: [index] for number, index in acknowledged.items()}.items() <= held.items()
    assert Counter(map(len, held.values())) == {1: len(held)}
    assert counted["kept"] == len(held)


def test_readings_over_a_bad_network_are_kept_once(site):
    _through_the_relay(site, devices=12, seconds=3, seed=1)


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.slow)])
def test_what_is_appended_over_a_bad_network_is_there_once(site, seed):
    token = (abuse.TOKEN, allow_tokens(site)["admin"].encode())
    site.start_gateway()
    with Relay(("127.0.0.1", site.coap_port), seed=seed, **BAD) as relay:
        writers = [Appender(relay.port, n, token, APPENDS) for n in range(6)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(120)
    url = f"coap://127.0.0.1:{site.coap_port}/{'/'.join(LOG)}"
    held = ask(coap_clients.aiocoap(), Ask("get", url, options=(token,)))
    acknowledged = [line for writer in writers for line in writer.acknowledged]
    print(f"seed {seed}: {len(acknowledged)} acknowledged, relay lost {relay.lost}")

    assert len(acknowledged) == 6 * APPENDS
    assert Counter(held.payload.splitlines()) == Counter(acknowledged)


class Appender(threading.Thread):
    """POSTs a line after the other, each until it is answered, under one message id."""

    def __init__(self, port: int, number: int, token: tuple[int, bytes], count: int) -> None:
        super().__init__(daemon=True)
        self._peer = Peer(port)
        self._number = number
        self._options = [*((coap.URI_PATH, segment.encode()) for segment in LOG), token]
        self._count = count
        self.acknowledged: list[bytes] = []

    def run(self) -> None:
        for n in range(self._count):
            line = b"%d-%d" % (self._number, n)
            sent = abuse.request(coap.CON, coap.POST, n, self._options, line + b"\n", line)
            while not self._is_answered(sent, n, line):
                pass
            self.acknowledged.append(line)
        self._peer.close()

    def _is_answered(self, sent: bytes, message_id: int, token: bytes) -> bool:
        """Sends it once more; what comes late to an older line is passed over."""
        self._peer.send(sent)
        while (answer := self._peer.receive(AGAIN_S)) is not None:
            if answer.token == token and answer.message_id == message_id:
                assert answer.code in (0x41, coap.CHANGED), coap.code_text(answer.code)
                return True
        return False


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_many_readings_over_a_bad_network_are_kept_once(site, seed):
    _through_the_relay(site, devices=60, seconds=40, seed=seed)
