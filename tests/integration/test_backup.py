"""`tallystick backup` beside a running gateway, and what `restore` makes of the copy."""

import json
import os
import shutil
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from tests.integration import kills_backup
from tests.integration.commands import tallystick
from tests.integration.harness import ORIGIN, Site, packs
from tests.load import LoadDevice
from tools.trust import remember_trust
from tools.verify import verdicts_of

NEW = "test.invalid/site-2"
pytestmark = pytest.mark.integration


@pytest.fixture
def saved(site: Site) -> Path:
    return site.gateway_dir.with_name("saved")


def command(*arguments: object) -> str:
    done = tallystick(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def running(site: Site) -> LoadDevice:
    """A gateway with a device that does not stop."""
    site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    device.start()
    site.wait_until(lambda: len(device.kept) > 20, "some are kept")
    return device


def newest_of(site: Site, folder: Path) -> Path:
    """The checkpoint as the collector shows it, in a file."""
    assert site.collector is not None
    (shown,) = [o for o in site.collector.get("/origins")["origins"] if o["origin"] == ORIGIN]
    path = folder / "newest"
    path.write_text(shown["checkpoint"])
    return path


def test_a_copy_made_under_load_verifies_and_holds_what_was_kept_before(
    site: Site, saved: Path
) -> None:
    device = running(site)
    before = dict(device.kept)

    told = json.loads(command("backup", site.gateway_dir, saved, "--json"))
    device.end()

    (verdict,) = verdicts_of(str(saved))
    held = packs(saved / "ledger.sqlite")
    assert (verdict.valid, verdict.entries, verdict.root) == (True, told["entries"], told["root"])
    assert {number: held.get(number) for number in before} == {n: [i] for n, i in before.items()}
    assert not (saved / "signer.key").exists()


def test_what_a_killed_gateway_has_in_its_log_only_is_in_every_copy(
    site: Site, saved: Path, tmp_path: Path
) -> None:
    """As after a power cut: nothing has read the log, and its index is gone."""
    device = running(site)
    assert site.gateway is not None
    site.gateway.kill()
    device.end()
    (site.gateway_dir / "ledger.sqlite-shm").unlink()
    plain = shutil.copytree(site.gateway_dir, tmp_path / "plain")
    note = plain / "checkpoint"

    command("backup", site.gateway_dir, saved)
    command("restore", plain, tmp_path / "back", "--checkpoint", note)
    arguments = ("recover", plain, "--new-origin", NEW, "--although-sound", "--json")
    numbers = json.loads(command(*arguments))["recovery"]["numbers"]

    kept = {number: [index] for number, index in device.kept.items()}
    for copy in (saved, tmp_path / "back"):
        held = packs(copy / "ledger.sqlite")
        assert {number: held.get(number) for number in kept} == kept
    assert numbers == len(held) >= len(kept)


def test_a_copy_of_the_newest_state_goes_on_where_the_lost_one_was(
    site: Site, saved: Path, tmp_path: Path
) -> None:
    site.start_collector()
    device = running(site)
    device.end()
    site.wait_until_collected()
    assert site.gateway is not None
    site.gateway.stop()
    command("backup", site.gateway_dir, saved)
    key = shutil.copy(site.gateway_dir / "signer.key", tmp_path / "kept.key")
    shutil.rmtree(site.gateway_dir)

    note = newest_of(site, tmp_path)
    told = command("restore", saved, site.gateway_dir, "--checkpoint", note, "--key", key)
    fill_and_stop(site)

    ours, theirs = site.verdicts()
    assert "it continues the checkpoint" in told
    assert (ours.valid, ours.root) == (True, theirs.root)


@pytest.mark.damages_ledgers  # two ledgers at the collector, of which the fixture looks at one
def test_a_copy_that_is_behind_becomes_another_ledger_or_nothing(
    site: Site, saved: Path, tmp_path: Path
) -> None:
    site.start_collector()
    device = running(site)
    command("backup", site.gateway_dir, saved, "--with-key")
    after = len(device.kept)
    site.wait_until(lambda: len(device.kept) > after + 5, "more are kept")
    device.end()
    site.wait_until_collected()
    assert site.gateway is not None
    site.gateway.stop()
    shutil.rmtree(site.gateway_dir)
    note = newest_of(site, tmp_path)

    alone = tallystick("restore", saved, site.gateway_dir)
    refused = tallystick("restore", saved, site.gateway_dir, "--checkpoint", note)
    arguments = ("restore", saved, site.gateway_dir, "--checkpoint", note, "--new-origin", NEW)
    told = json.loads(command(*arguments, "--json"))

    assert (alone.returncode, refused.returncode) == (2, 2)
    assert "may be behind what was signed since" in alone.stderr
    assert "are not what they continue as" in refused.stderr
    assert "--new-origin NAME" in refused.stderr
    assert told["recovered"]["recovery"]["note"] == note.read_text()
    site.collector.stop()
    remember_trust(site.collector_dir, [told["recovered"]["verifier_key"]])
    site.start_collector()
    fill_and_stop(site)
    theirs = {verdict.origin: verdict for verdict in verdicts_of(str(site.collector_dir))}
    assert theirs[ORIGIN].valid
    assert theirs[NEW].valid


@pytest.mark.damages_ledgers
def test_of_two_copies_of_one_backup_the_second_does_not_sign_beside_the_first(
    site: Site, saved: Path, tmp_path: Path
) -> None:
    """It was put back with a checkpoint that had been the newest; the collector knows better."""
    site.start_collector()
    device = running(site)
    device.end()
    site.wait_until_collected()
    site.gateway.stop()
    command("backup", site.gateway_dir, saved, "--with-key")
    stale, second = newest_of(site, tmp_path), tmp_path / "second"
    shutil.rmtree(site.gateway_dir)
    command("restore", saved, site.gateway_dir, "--checkpoint", stale)
    command("restore", saved, second, "--checkpoint", stale)
    fill_and_stop(site)
    signed = (second / "checkpoint").read_text()

    site.gateway_dir.rename(tmp_path / "first")
    second.rename(site.gateway_dir)
    with pytest.raises(ConfigError, match="the upstream has seen"):
        site.start_gateway()

    assert (site.gateway_dir / "checkpoint").read_text() == signed
    newest = newest_of(site, tmp_path)
    third = tallystick("restore", saved, tmp_path / "third", "--checkpoint", newest)
    assert third.returncode == 2


def fill_and_stop(site: Site) -> None:
    gateway = site.start_gateway()
    device = LoadDevice(site.enrol("load-2"))
    device.start()
    site.wait_until(lambda: len(device.kept) > 5, "it goes on")
    device.end()
    site.wait_until_collected()
    gateway.stop()


def test_copies_killed_anywhere_are_whole_or_not_there(site: Site) -> None:
    kills_backup.campaign(site, kills=3, seed=int(os.environ.get("SEED", "1")))


@pytest.mark.slow
def test_many_copies_killed_anywhere_are_whole_or_not_there(site: Site) -> None:
    kills = int(os.environ.get("KILLS", "40"))
    kills_backup.campaign(site, kills=kills, seed=int(os.environ.get("SEED", "2")))
