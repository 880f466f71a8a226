"""Mutated datagrams against a gateway that runs, beside a device that behaves.

SEED and COUNT repeat or lengthen a campaign: the line to do so is printed.
"""

import os
import re

import pytest

from protocol import envelope
from protocol.envelope import UP
from tests.integration.flood import cpu_s, flood, rss_mb
from tests.integration.harness import Site
from tests.integration.steady import Steady
from tests.mutations import Mutator, Sealer

pytestmark = pytest.mark.integration

SEED = int(os.environ.get("SEED", "7"))
SHORT = int(os.environ.get("COUNT", "8000"))
LONG = int(os.environ.get("COUNT", "1000000"))
PER_S, SHORT_PER_S = 2500.0, 8000.0
WARM_UP = 30_000  # what is made once is there, before memory is compared
ALONE_S = 20.0
GROWTH_MB = 10
NOISE_MS = 2  # what a machine that others use adds to a p99
UNHANDLED = re.compile(r"Traceback|Exception in|never retrieved|unhandled", re.IGNORECASE)


def test_mutated_datagrams_raise_nothing_unhandled(site):
    site.start_gateway()

    _flooded(site, _sealer(site, "fuzz"), SHORT, per_s=SHORT_PER_S, seed=SEED)

    assert site.gateway is not None
    assert site.gateway.running
    assert UNHANDLED.findall(site.gateway_log()) == [], site.logs()


@pytest.mark.slow
def test_a_million_mutated_datagrams_cost_no_memory_and_delay_nobody(site):
    config, sealer = site.enrol("steady"), _sealer(site, "fuzz")
    gateway = site.start_gateway()
    _flooded(site, sealer, WARM_UP, per_s=PER_S, seed=SEED + 1)
    folder = site.gateway_dir.parent
    alone = Steady(config, folder, epoch=1, seconds=ALONE_S).latency()
    before_mb = rss_mb(gateway.pid)
    steady = Steady(config, folder, epoch=2, seconds=0.9 * LONG / PER_S)

    _flooded(site, sealer._replace(epoch=100), LONG, per_s=PER_S, seed=SEED)

    during, after_mb = steady.latency(), rss_mb(gateway.pid)
    again = Steady(config, folder, epoch=3, seconds=ALONE_S).latency()
    print(f"  alone {alone}\n  during {during}\n  alone again {again}")
    print(f"  RSS {before_mb:.1f} -> {after_mb:.1f} MB")
    assert UNHANDLED.findall(site.gateway_log()) == [], site.logs()
    assert after_mb - before_mb < GROWTH_MB
    assert during.p99_ms <= 2 * max(alone.p99_ms, again.p99_ms) + NOISE_MS


def _flooded(site: Site, sealer: Sealer, count: int, *, per_s: float, seed: int) -> None:
    print(f"\nreplay: SEED={seed} COUNT={count} python -m pytest -s {__file__}")
    assert site.gateway is not None
    before_s = cpu_s(site.gateway.pid)
    done = flood(site.coap_port, Mutator(sealer, seed).datagrams(count), per_s=per_s)
    cpu_us = (cpu_s(site.gateway.pid) - before_s) / count * 1e6
    print(f"  {done}, {done.sent / done.seconds:.0f}/s, {cpu_us:.0f} µs of CPU each")
    assert done.taken > 0.99 * count


def _sealer(site: Site, name: str) -> Sealer:
    secret = bytes.fromhex(str(site.enrol(name)["secret"]))
    return Sealer(name, envelope.kid_of(name), envelope.direction_key(secret, UP))
