"""kill -9 at random moments under load: 2.04 means kept, and nothing is kept twice."""

import os
import random
import time

import pytest

from tests.integration.harness import Site, packs, slowness
from tests.load import LoadDevice
from tools.processes import launched

DEVICES = 6
RESTART_LIMIT_S = 2.0


@pytest.mark.integration
def test_nothing_acknowledged_is_lost_when_the_gateway_is_killed(site: Site) -> None:
    campaign(site, kills=5, seed=int(os.environ.get("SEED", "1")))


@pytest.mark.integration
@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_many_kills(site: Site) -> None:
    campaign(site, kills=int(os.environ.get("KILLS", "110")), seed=int(os.environ.get("SEED", "2")))


@pytest.mark.integration
@pytest.mark.slow
def test_nothing_acknowledged_is_lost_while_every_commit_is_signed(site: Site) -> None:
    """A checkpoint, with its file and its syncs, is under way at most moments."""
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(config.read_text() + "\n[ledger]\ncheckpoint_every_ms = 1\n")

    campaign(site, kills=int(os.environ.get("KILLS", "50")), seed=int(os.environ.get("SEED", "3")))


def campaign(site: Site, *, kills: int, seed: int) -> None:
    print(f"\nreplay with SEED={seed} KILLS={kills}")
    dice = random.Random(seed)
    site.launch = launched  # as a user's is: how long that takes is judged, too
    site.start_collector()
    gateway = site.start_gateway()
    devices = [LoadDevice(site.enrol(f"load-{n}")) for n in range(DEVICES)]
    for device in devices:
        device.start()
    restarts_s = []

    for _ in range(kills):
        time.sleep(dice.uniform(0.02, 0.5))
        gateway.kill()
        started = time.monotonic()
        gateway = site.start_gateway()
        restarts_s.append(time.monotonic() - started)
    time.sleep(0.3)
    for device in devices:
        device.end()
    site.wait_until_collected()

    kept = {number: index for device in devices for number, index in device.kept.items()}
    held = packs(site.gateway_dir / "ledger.sqlite")
    print(
        f"{kills} kills, {len(kept)} acknowledged, {len(held)} in the ledger,"
        f" {sum(device.retransmissions for device in devices)} retransmissions;"
        f" restart max {max(restarts_s):.2f} s, median {sorted(restarts_s)[kills // 2]:.2f} s"
    )
    assert len(kept) > kills
    assert [number for number in kept if held.get(number) != [kept[number]]] == []
    assert [number for number, indexes in held.items() if len(indexes) != 1] == []
    assert sorted(restarts_s)[kills // 2] < RESTART_LIMIT_S * slowness()
    gateway_verdict, collector_verdict = site.verdicts()
    assert gateway_verdict.valid
    assert (collector_verdict.valid, collector_verdict.root) == (True, gateway_verdict.root)
