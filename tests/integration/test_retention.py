"""Retention on a running site: within its bytes whatever happens, and provable afterwards."""

import json
import os
import sqlite3
import time
from pathlib import Path

import httpx2
import pytest

from gateway.ledger.budget import divided
from gateway.store import PAGE_BYTES
from tests.integration import kills_prune
from tests.integration.commands import tallystick
from tests.integration.harness import Site, collected_ledger
from tests.integration.pruning import Admin, Held, Number, Scale, configure, fill, raw
from tests.load import LoadDevice
from tools.processes import Service

pytestmark = pytest.mark.integration
MAX_BYTES = 32_000_000
MAX_BATCH = 64
CONFIG = f"[ledger]\nmax_batch = {MAX_BATCH}\n[retention]\nmax_bytes = {MAX_BYTES}\n"
BUDGET = divided(MAX_BYTES, MAX_BATCH)


def ledger_of(site: Site) -> Path:
    return site.gateway_dir / "ledger.sqlite"


def load(site: Site, count: int) -> list[LoadDevice]:
    devices = [LoadDevice(site.enrol(f"load-{n}")) for n in range(count)]
    for device in devices:
        device.start()
    return devices


def kept_by(devices: list[LoadDevice]) -> dict[Number, int]:
    return {number: index for device in devices for number, index in device.kept.items()}


def check_both(site: Site) -> None:
    """The outside verifier and fsck, of both ledgers."""
    assert [verdict.reason for verdict in site.verdicts() if not verdict.valid] == []
    for directory in (site.gateway_dir, site.collector_dir):
        checked = tallystick("fsck", directory)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def retention(site: Site) -> dict[str, object]:
    assert site.gateway is not None
    return site.gateway.get("/stats")["retention"]


def test_a_budget_is_kept_under_load_while_devices_are_served(site: Site) -> None:
    configure(site, CONFIG)
    fill(site, BUDGET.soft_bytes)
    scale = Scale(ledger_of(site))
    scale.start()
    site.start_collector()
    site.start_gateway()
    devices = load(site, 4)

    site.wait_until(lambda: retention(site)["last_prune"] is not None, "the oldest are deleted")
    before = len(kept_by(devices))
    site.wait_until(lambda: len(kept_by(devices)) > before + 100, "devices are served on")
    for device in devices:
        device.end()
    site.wait_until_collected()
    shown = retention(site)
    site.stop()
    scale.end()

    held = Held(ledger_of(site))
    print(
        f"\nat most {scale.most_bytes} of {MAX_BYTES} bytes, weighed {scale.weighed} times;"
        f" {len(held.missing)} bodies deleted by {len(held.prunes)} entries,"
        f" {len(held.index)} packs kept"
    )
    assert scale.weighed > 200
    assert scale.most_bytes <= MAX_BYTES
    assert shown["bodies_from"] > 0
    assert held.lost(kept_by(devices)) == []
    check_both(site)
    missing_there = sqlite3.connect(collected_ledger(site)).execute(
        "SELECT count(*) FROM entries WHERE idx NOT IN (SELECT idx FROM bodies)"
    )
    assert next(missing_there)[0] == 0  # all were forwarded first


def test_without_its_collector_a_gateway_fills_its_budget_and_no_more(site: Site) -> None:
    """Then devices wait, and it goes on by itself once the collector is back."""
    configure(site, CONFIG)
    fill(site, BUDGET.file_pages * PAGE_BYTES)
    scale = Scale(ledger_of(site))
    scale.start()
    gateway = site.start_gateway()
    devices = load(site, 4)

    site.wait_until(lambda: _refused(gateway) > 20, "the ledger is full")
    health = gateway.get("/healthz")
    full = len(kept_by(devices))
    time.sleep(0.5)
    while_full = len(kept_by(devices))
    site.start_collector()
    site.wait_until(lambda: len(kept_by(devices)) > while_full + 100, "devices are served again")
    for device in devices:
        device.end()
    site.wait_until_collected()
    site.stop()
    scale.end()

    held = Held(ledger_of(site))
    print(
        f"\nat most {scale.most_bytes} of {MAX_BYTES} bytes; {full} kept before it was full,"
        f" {len(held.index)} in the end"
    )
    assert health["status"] == "failing"
    assert any("retention.max_bytes" in fault for fault in health["faults"])
    assert scale.most_bytes <= MAX_BYTES
    assert held.lost(kept_by(devices)) == []
    check_both(site)


def test_a_device_is_redacted_on_both_sides_while_another_goes_on_sending(site: Site) -> None:
    admin = Admin(site)
    site.start_collector()
    gateway = site.start_gateway()
    devices = load(site, 2)
    site.wait_until(lambda: all(len(d.kept) > 30 for d in devices), "some are kept")
    devices[0].end()
    site.wait_until(lambda: _has(site, 0), "the collector has them, too")

    done = tallystick(
        "prune", gateway.url, "--source", "load-0", "--redact", "--yes", "--json",
        "--token-file", admin.token_file,
    )  # fmt: skip
    site.wait_until(lambda: not _has(site, 0), "nothing is left of it at the collector")
    here = raw(site.gateway_dir)
    devices[1].end()
    site.wait_until_collected()
    site.stop()

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bodies"] == len(devices[0].kept)
    assert (_reading(0) in here, _reading(1) in here) == (False, True)
    assert _reading(1) in raw(site.collector_dir)
    assert Held(ledger_of(site)).lost(kept_by(devices)) == []
    check_both(site)


def _reading(device: int) -> bytes:
    """What only bodies of this device say; leaves have its name alone."""
    return b"load-%d/" % device


def _has(site: Site, device: int) -> bool:
    return _reading(device) in raw(site.collector_dir)


def test_what_is_deleted_for_its_age_stays_with_the_collector(site: Site) -> None:
    admin = Admin(site)
    site.start_collector()
    site.start_gateway()
    devices = load(site, 2)
    site.wait_until(lambda: all(len(d.kept) > 30 for d in devices), "some are kept")
    for device in devices:
        device.end()
    site.wait_until_collected()

    deleted = admin.prune_all(source="load-0")
    site.wait_until_collected()
    site.stop()

    assert deleted == len(devices[0].kept)
    assert _has(site, 0)
    check_both(site)


@pytest.mark.slow
def test_space_comes_back_to_the_disk_while_devices_are_served(site: Site) -> None:
    admin = Admin(site)
    fill(site, 20_000_000)
    site.start_collector()
    site.start_gateway()
    site.wait_until_collected()
    before = retention(site)["file_bytes"]
    devices = load(site, 2)

    admin.prune_all(kind="note")
    site.wait_until(lambda: retention(site)["file_bytes"] < before / 4, "the file is smaller")
    on_disk = ledger_of(site).stat().st_size
    for device in devices:
        device.end()
    site.wait_until_collected()
    site.stop()

    print(f"\n{before} bytes before, {on_disk} after")
    assert on_disk < before / 4
    assert Held(ledger_of(site)).lost(kept_by(devices)) == []
    check_both(site)


def test_nothing_is_lost_when_the_gateway_is_killed_while_it_prunes(site: Site) -> None:
    kills_prune.campaign(site, kills=3, seed=int(os.environ.get("SEED", "1")))


@pytest.mark.slow
def test_nothing_is_lost_in_many_kills_while_it_prunes(site: Site) -> None:
    kills, seed = (int(os.environ.get(name, default)) for name, default in SLOW)
    kills_prune.campaign(site, kills=kills, seed=seed)


SLOW = (("KILLS", "60"), ("SEED", "2"))


def _refused(gateway: Service) -> float:
    """How many envelopes were told that the store is full."""
    lines = httpx2.get(f"{gateway.url}/metrics").text.splitlines()
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith("tallystick_requests_total") and "store-full" in line
    )
