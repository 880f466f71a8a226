"""A network that loses 30 %, repeats 20 % and reorders, both ways: once is once, kept is kept."""

import re
import time
from collections import Counter

import httpx2
import pytest

from tests.integration.harness import Site, packs
from tests.load import LoadDevice
from tests.relay import Relay

pytestmark = pytest.mark.integration

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
        time.sleep(seconds)
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


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_many_readings_over_a_bad_network_are_kept_once(site, seed):
    _through_the_relay(site, devices=60, seconds=40, seed=seed)
