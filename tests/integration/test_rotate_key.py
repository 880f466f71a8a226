"""`tallystick rotate-key` on a site that goes on: nothing is lost, and everybody follows."""

import json
import os

import pytest

from gateway.directory import Directory
from tests.integration import kills_rotation
from tests.integration.commands import tallystick
from tests.integration.harness import ORIGIN, Site, collected_ledger, packs
from tests.load import LoadDevice
from tools.verify import verdicts_of

pytestmark = pytest.mark.integration


def rotate(site: Site) -> dict[str, object]:
    done = tallystick("rotate-key", site.gateway_dir, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def fill(site: Site, name: str, count: int = 5) -> None:
    """Packs of a new device, kept."""
    device = LoadDevice(site.enrol(name))
    device.start()
    site.wait_until(lambda: len(device.kept) >= count, f"{count} packs of {name}")
    device.end()


def check_both(site: Site, key: str) -> None:
    """By the key of now, and by what each has itself: at the collector, the one it was told."""
    given = [verdicts_of(str(d), key)[0] for d in (site.gateway_dir, site.collector_dir)]
    for ours, theirs in (given, site.verdicts()):
        assert (ours.valid, theirs.valid, ours.root) == (True, True, theirs.root), site.logs()
        assert ours.entries == ours.signed == theirs.signed


def shown_origins(site: Site) -> list[dict[str, object]]:
    assert site.collector is not None
    return site.collector.get("/origins")["origins"]


def test_devices_before_across_and_after_a_rotation_lose_nothing(site: Site) -> None:
    site.start_collector()
    gateway = site.start_gateway()
    devices = [LoadDevice(site.enrol(f"load-{n}")) for n in range(3)]
    for device in devices:
        device.start()
    site.wait_until(lambda: all(len(d.kept) > 5 for d in devices), "some are kept before")

    gateway.stop()
    done = rotate(site)
    before = [len(device.kept) for device in devices]
    site.start_gateway()
    site.wait_until(
        lambda: all(len(d.kept) > n + 5 for d, n in zip(devices, before, strict=True)),
        "some are kept after",
    )
    for device in devices:
        device.end()
    site.wait_until_collected()

    kept = {number: [index] for device in devices for number, index in device.kept.items()}
    held = packs(site.gateway_dir / "ledger.sqlite")
    (shown,) = shown_origins(site)
    assert {number: held.get(number) for number in kept} == kept
    assert packs(collected_ledger(site)) == held
    assert shown["verifier_key"] == done["new"] != done["old"]
    check_both(site, str(done["new"]))


def test_a_collector_that_was_away_follows_all_rotations_from_the_first_key(site: Site) -> None:
    entries = []
    for number in range(3):
        gateway = site.start_gateway()
        fill(site, f"load-{number}")
        gateway.stop()
        done = rotate(site)
        entries.append(done["entry"])
    site.start_gateway()
    fill(site, "load-last")

    site.start_collector()
    site.wait_until_collected()

    (shown,) = shown_origins(site)
    assert shown["verifier_key"] == done["new"]
    assert entries == sorted(set(entries))
    check_both(site, str(done["new"]))


def test_a_collector_that_is_told_the_newest_key_only_takes_the_whole_ledger(site: Site) -> None:
    for number in range(2):
        gateway = site.start_gateway()
        fill(site, f"load-{number}")
        gateway.stop()
        done = rotate(site)
    config = site.collector_dir / "collector.toml"
    config.write_text(config.read_text().replace(_told(site), str(done["new"])))
    site.start_gateway()

    site.start_collector()
    site.wait_until_collected()

    (shown,) = shown_origins(site)
    assert (shown["origin"], shown["verifier_key"]) == (ORIGIN, done["new"])
    check_both(site, str(done["new"]))


def _told(site: Site) -> str:
    line = (site.collector_dir / "collector.toml").read_text().splitlines()[0]
    (key,) = json.loads(line.removeprefix("trust = "))
    return str(key)


def test_a_running_gateway_keeps_its_key_and_the_refusal_says_how_to_stop_it(site: Site) -> None:
    gateway = site.start_gateway()

    refused = tallystick("rotate-key", site.gateway_dir)

    assert refused.returncode == 2
    assert f"is held by process {gateway.pid} (gateway {ORIGIN})" in refused.stderr
    assert f"kill {gateway.pid}" in refused.stderr
    assert Directory(site.gateway_dir).read_keys() is None
    gateway.stop()


def test_a_rotation_killed_anywhere_is_ended_by_the_next_start_or_try(site: Site) -> None:
    kills_rotation.campaign(site, kills=3, seed=int(os.environ.get("SEED", "1")))


@pytest.mark.slow
def test_many_rotations_killed_anywhere_are_ended(site: Site) -> None:
    kills = int(os.environ.get("KILLS", "40"))
    kills_rotation.campaign(site, kills=kills, seed=int(os.environ.get("SEED", "2")))
