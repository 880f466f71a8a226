"""`tallystick recover` after a rollback: a new ledger, the same devices, an honest gap."""

import json
import os
import shutil

import pytest

from gateway.errors import ConfigError
from protocol import recovery
from protocol.checkpoint import unverified
from tests.integration import kills_recover
from tests.integration.commands import tallystick
from tests.integration.harness import ORIGIN, Site, packs
from tests.integration.kills_recover import take_some, trust
from tests.load import LoadDevice
from tools.verify import verdicts_of

NEW = "test.invalid/site-2"
pytestmark = pytest.mark.integration


def roll_back(site: Site) -> tuple[LoadDevice, str]:
    """A device across it all; the newest checkpoint that the collector has."""
    site.start_collector()
    gateway = site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    device.start()
    site.wait_until(lambda: len(device.kept) > 2, "some are kept")
    gateway.stop()
    older = shutil.copytree(site.gateway_dir, site.gateway_dir.with_name("older"))
    before = len(device.kept)
    gateway = site.start_gateway()
    site.wait_until(lambda: len(device.kept) > before + 2, "more are kept")
    size = gateway.get("/stats")["size"]
    site.wait_until(lambda: gateway.get("/stats")["forward"]["cursor"] >= size, "they are sent")
    gateway.stop()
    (seen,) = site.collector.get("/origins")["origins"]
    newest = seen["checkpoint"]
    shutil.rmtree(site.gateway_dir)
    older.rename(site.gateway_dir)
    with pytest.raises(ConfigError, match="the upstream has seen"):
        site.start_gateway()
    return device, newest


@pytest.mark.damages_ledgers  # two ledgers at the collector, of which the fixture looks at one
def test_a_gateway_that_was_rolled_back_goes_on_with_a_new_ledger_that_says_so(site: Site) -> None:
    device, newest = roll_back(site)
    kept = dict(device.kept)

    done = tallystick("recover", site.gateway_dir, "--new-origin", NEW, "--json")
    told = json.loads(done.stdout)
    site.collector.stop()
    trust(site, told["verifier_key"])
    site.start_collector()
    gateway = site.start_gateway()
    site.wait_until(lambda: len(device.kept) > len(kept) + 2, "the device goes on")
    device.end()
    site.wait_until_collected()

    first = gateway.get("/events/0")
    gateway.stop()
    (ours,) = verdicts_of(str(site.gateway_dir))
    theirs = {verdict.origin: verdict for verdict in verdicts_of(str(site.collector_dir))}
    assert (told["origin"], told["recovery"]["origin"]) == (NEW, ORIGIN)
    assert told["recovery"]["note"] == newest
    assert first["kind"] == recovery.RECOVERED
    assert (ours.valid, ours.origin, ours.root) == (True, NEW, theirs[NEW].root)
    assert theirs[ORIGIN].valid
    assert theirs[ORIGIN].entries >= unverified(newest).size
    (old,) = verdicts_of(told["retired"])
    assert (old.valid, old.origin) == (True, ORIGIN)


def test_a_number_used_before_the_recovery_is_refused_after_it(site: Site) -> None:
    config = _used_and_recovered(site)
    gateway = site.start_gateway()
    again = LoadDevice(config)  # counts from 0 in the same epoch, as it did before

    again.start()
    site.wait_until(
        lambda: bool(gateway.get("/events?kind=alert")["events"]), "the conflict is on record"
    )
    again.end()

    assert again.kept == {}
    assert packs(site.gateway_dir / "ledger.sqlite") == {}


def _used_and_recovered(site: Site) -> dict[str, object]:
    gateway = site.start_gateway()
    config = site.enrol("load-1")
    device = LoadDevice(config)
    device.start()
    site.wait_until(lambda: len(device.kept) > 2, "some are kept")
    device.end()
    gateway.stop()
    arguments = ("recover", site.gateway_dir, "--new-origin", NEW, "--although-sound")
    done = tallystick(*arguments)
    assert done.returncode == 0, done.stderr
    assert f"the ledger is now {NEW}" in done.stdout
    assert "numbers stay taken" in done.stdout
    return config


def test_a_ledger_that_is_sound_and_a_gateway_that_runs_are_left_alone(site: Site) -> None:
    refused = tallystick("recover", site.gateway_dir, "--new-origin", NEW)
    gateway = site.start_gateway()
    held = tallystick("recover", site.gateway_dir, "--new-origin", NEW, "--although-sound")
    gateway.stop()
    take_some(site, "load-1")

    assert (refused.returncode, held.returncode) == (2, 2)
    assert "is sound, and its key would be destroyed" in refused.stderr
    assert f"is held by process {gateway.pid}" in held.stderr


def test_a_recovery_killed_anywhere_is_ended_by_the_next_start_or_try(site: Site) -> None:
    kills_recover.campaign(site, kills=3, seed=int(os.environ.get("SEED", "1")))


@pytest.mark.slow
def test_many_recoveries_killed_anywhere_are_ended(site: Site) -> None:
    kills = int(os.environ.get("KILLS", "40"))
    kills_recover.campaign(site, kills=kills, seed=int(os.environ.get("SEED", "2")))
