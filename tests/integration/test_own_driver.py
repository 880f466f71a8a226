"""A driver of the owner's, as the README has it: one file on the board, one line of config.json."""

import json
import re

import pytest

from tests.board.virtual import VirtualBoard
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tests.interpreters import ROOT
from tools.board.link import Board

pytestmark = pytest.mark.integration
CONFIG = "/data/config.json"
RAW = 40_000  # of 65535, and the probe hangs 2 m above the ground
LEVEL = "0.779"


def readme_example() -> tuple[str, dict[str, object]]:
    """The driver, and the line for config.json."""
    section = (ROOT / "README.md").read_text().partition("**A driver of your own**")[2]
    driver, line = re.findall(r"^```\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[:2]
    return driver, json.loads(line)


def values(site: Site, name: str) -> list[str]:
    found = site.gateway.get("/events?kind=pack&source=garden-1&limit=1000")
    readings = [one for event in found["events"] for one in event["readings"]]
    return [str(one["value"]) for one in readings if one["name"] == name]


@pytest.fixture
def flashed(site, tmp_path):
    with VirtualBoard(tmp_path / "board") as virtual:
        virtual.change_world(adc={"4": 14_071, "26": RAW})
        site.start_gateway()
        run = tallystick(
            "device", "add", "garden-1", "--dir", site.gateway_dir, "--flash", virtual.port
        )
        assert run.returncode == 0, run.stderr
        yield virtual


def test_the_readmes_driver_gives_readings_and_counts_what_it_could_not_read(site, flashed):
    source, line = readme_example()
    with Board(flashed.port) as board:
        board.mkdir("/data/drivers")
        board.put(f"/data/drivers/{line['driver']}.py", source.encode())
        config = json.loads(board.get(CONFIG) or b"")
        config |= {"sensors": [line | {"every_ms": 100}], "pack_age_ms": 100}
        board.put(CONFIG, json.dumps(config).encode())
        board.reset()

    site.wait_until(lambda: LEVEL in values(site, "garden-1/cistern/level"), "the level is kept")
    flashed.change_world(adc={"26": 0})
    site.wait_until(
        lambda: values(site, "garden-1/cistern/read-errors") != [], "a failed read is told"
    )

    assert set(values(site, "garden-1/cistern/level")) == {LEVEL}
