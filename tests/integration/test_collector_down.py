"""The collector goes away and comes back: everything arrives once, in order, without a gap."""

import sqlite3
import time

import pytest

from tests.integration.harness import Site, collected_ledger, packs
from tests.load import LoadDevice


@pytest.mark.integration
@pytest.mark.parametrize("outage_s", [0.6, pytest.param(3, marks=pytest.mark.slow)])
def test_everything_arrives_once_and_in_order_after_an_outage(site: Site, outage_s: float) -> None:
    collector = site.start_collector()
    site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    device.start()
    sizes: list[int] = []

    time.sleep(outage_s)
    for _ in range(2):
        collector.kill()
        time.sleep(outage_s)
        collector = site.start_collector()
        sizes.append(_collected(site))
        time.sleep(outage_s / 3)
    device.end()
    site.wait_until_collected()

    gateway_verdict, collector_verdict = site.verdicts()
    held = packs(collected_ledger(site))
    print(f"\n{len(device.kept)} kept, {len(held)} collected; sizes seen upstream {sizes}")
    kept = {number: [index] for number, index in device.kept.items()}
    assert {number: held.get(number) for number in kept} == kept
    assert len(held) - len(kept) <= 1  # what it was waiting for a receipt of when it ended
    assert collector_verdict.root == gateway_verdict.root
    assert sizes == sorted(sizes)


@pytest.mark.integration
def test_a_gateway_that_starts_without_its_collector_keeps_and_forwards_later(site: Site) -> None:
    site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    device.start()
    time.sleep(0.5)
    device.end()

    site.start_collector()
    site.wait_until_collected()

    assert packs(collected_ledger(site)) == packs(site.gateway_dir / "ledger.sqlite")
    assert len(device.kept) > 0


def _collected(site: Site) -> int:
    """How far the collector is; what it has is always without a hole."""
    database = sqlite3.connect(f"{collected_ledger(site).as_uri()}?mode=ro", uri=True)
    count, last = database.execute("SELECT count(*), max(idx) FROM entries").fetchone()
    database.close()
    assert count == (last or 0) + bool(count)
    return int(count)
