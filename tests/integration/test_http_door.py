"""The HTTP door as a real server: what a socket does that no test without one shows."""

import statistics
import time

import httpx2 as httpx
import pytest

from tests.integration.harness import Site


@pytest.mark.integration
def test_an_answer_on_a_used_connection_does_not_wait_for_an_acknowledgement(site: Site) -> None:
    gateway = site.start_gateway()
    waited_ms = []

    with httpx.Client(base_url=gateway.url, timeout=10) as client:
        for _ in range(60):
            started = time.perf_counter()
            client.get("/healthz")
            waited_ms.append((time.perf_counter() - started) * 1000)

    # delayed ACKs take 40 ms; a connection starts without them, so its first answers say nothing
    assert statistics.median(waited_ms[30:]) < 25
