"""A gateway that was set back signs nothing, says why, and says the same until it is right."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tests.load import LoadDevice

pytestmark = [pytest.mark.integration, pytest.mark.damages_ledgers]


def fill(site: Site, name: str) -> None:
    """Three packs, which the collector has, too; then the gateway stops."""
    gateway = site.start_gateway()
    device = LoadDevice(site.enrol(name))
    device.start()
    site.wait_until(lambda: len(device.kept) > 2, "three packs are kept")
    device.end()
    site.wait_until_collected()
    gateway.stop()


def set_back(site: Site, between: Callable[[], None] = lambda: None) -> Path:
    """The whole directory as it was before the last packs; returns the newest one."""
    older, newest = site.gateway_dir.with_name("older"), site.gateway_dir.with_name("newest")
    fill(site, "load-1")
    shutil.copytree(site.gateway_dir, older)
    between()
    fill(site, "load-2")
    site.gateway_dir.rename(newest)
    older.rename(site.gateway_dir)
    return newest


def refusal_of(site: Site) -> str:
    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()
    return str(refusal.value)


def test_what_the_collector_has_shown_is_remembered_without_it(site: Site) -> None:
    site.start_collector()
    newest = set_back(site)
    signed = (site.gateway_dir / "checkpoint").read_text()

    first = refusal_of(site)
    site.collector.stop()
    again = refusal_of(site)

    held = json.loads((site.gateway_dir / "quarantine").read_text())
    assert "the upstream has seen" in first
    assert "recover DIR --new-origin NAME" in first
    assert held["reason"] in again
    assert held["note"] == (newest / "checkpoint").read_text()
    assert (site.gateway_dir / "checkpoint").read_text() == signed

    for path in newest.glob("ledger.sqlite*"):
        shutil.copy(path, site.gateway_dir / path.name)
    shutil.copy(newest / "checkpoint", site.gateway_dir / "checkpoint")
    site.start_gateway().stop()

    assert not (site.gateway_dir / "quarantine").exists()
    assert "the ledger is right again" in site.logs()


def test_a_directory_set_back_to_before_a_rotation_stops_at_its_own_keys_word(site: Site) -> None:
    site.start_collector()
    set_back(site, lambda: _rotate(site))

    refusal = refusal_of(site)

    assert "the upstream has seen our key give its place to another" in refusal
    assert json.loads((site.gateway_dir / "quarantine").read_text())["note"].startswith(
        "tallystick rotation v1"
    )


def _rotate(site: Site) -> None:
    assert tallystick("rotate-key", site.gateway_dir).returncode == 0


def test_a_gateway_that_learns_of_it_while_it_runs_stops_and_signs_nothing_more(
    site: Site,
) -> None:
    site.start_collector()
    set_back(site)
    site.collector.stop()
    signed = (site.gateway_dir / "checkpoint").read_text()
    with (site.gateway_dir / "tallystick.toml").open("a") as config:
        config.write(f"\n[ledger]\ncheckpoint_every_ms = {10**13}\n")  # only at its end
    gateway = site.start_gateway()
    device = LoadDevice(site.enrol("late"))
    device.start()
    site.wait_until(lambda: bool(device.kept), "a pack is kept on what was set back")
    device.end()

    site.start_collector()
    site.wait_until(lambda: not gateway.running, "the gateway stops")

    assert (site.gateway_dir / "checkpoint").read_text() == signed
    assert "the upstream has seen" in refusal_of(site)
