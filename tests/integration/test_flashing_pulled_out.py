"""Boards that are pulled out in the middle: a second run completes what the first began."""

import json
import os
import random
import threading
from pathlib import Path

import pytest

from tests.board.test_virtual import files_on
from tests.board.virtual import VirtualBoard
from tests.integration.flashing import NEVER, add, files_on_or_none, rotate
from tests.integration.harness import Site
from tools import enrolling

pytestmark = pytest.mark.integration
OPERATIONS = 450  # of a first run, about
PULLS = int(os.environ.get("PULLS", "20"))


def pulled(site: Site, folder: Path, seed: int) -> None:
    """Pulls the board out at a random moment of the first run; a second one has to complete it."""
    dice = random.Random(seed)
    name = f"pulled-{seed}"
    with VirtualBoard(folder / name) as board:
        moment = pull_some_time(board, dice)
        first = add(site, board, name)
        board.cut_after(NEVER)
        board.unplug()
        held = json.loads(files_on_or_none(board.image).get("/data/config.json", b"{}"))
        board.plug_in()

        second = add(site, board, name)

        print(f"seed {seed}: pulled out at {moment}: {first.returncode}, then {second.returncode}")
        assert second.returncode == 0, (moment, first.stderr, second.stderr)
        assert "first verified reading" in second.stdout
        config = json.loads(files_on(board.image)["/data/config.json"])
        (device,) = [one for one in enrolling.identities(site.gateway_dir) if one.name == name]
        assert device.secret.hex() == config["secret"]
        assert held.get("secret", config["secret"]) == config["secret"]
        if first.returncode:
            assert "fix:" in first.stderr, first.stderr
            assert config["secret"] not in first.stderr


def pull_some_time(board: VirtualBoard, dice: random.Random) -> str:
    """At a flash operation, as they are most of the work, or at a moment, for what is between."""
    if dice.random() < 0.3:
        after_s = dice.uniform(0, 1.2)
        threading.Timer(after_s, board.unplug).start()
        return f"{after_s:.2f} s"
    operation, torn = dice.randrange(1, OPERATIONS), dice.random() < 0.5
    board.cut_after(operation, torn=torn, unplug=True)
    return f"flash operation {operation}{', torn' if torn else ''}"


@pytest.mark.parametrize("seed", [1, 2])
def test_pulled_out_at_some_moments_a_second_run_completes_it(seed, site, tmp_path):
    site.start_gateway()

    pulled(site, tmp_path, seed)


@pytest.mark.slow
def test_pulled_out_at_any_moment_a_second_run_completes_it(site, tmp_path):
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"replay with SEED={seed} PULLS={PULLS}")
    site.start_gateway()

    for offset in range(PULLS):
        pulled(site, tmp_path, seed + offset)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_pulled_out_while_a_key_is_exchanged_a_second_run_completes_it(seed, flashed_site, cellar):
    site, virtual, dice = flashed_site, cellar, random.Random(seed)
    operation = dice.randrange(1, 12)
    virtual.cut_after(operation, torn=dice.random() < 0.5, unplug=True)
    first = rotate(site, virtual, "cellar-1")
    virtual.cut_after(NEVER)
    virtual.unplug()
    virtual.plug_in()

    second = rotate(site, virtual, "cellar-1")

    print(f"pulled out at flash operation {operation}: {first.returncode}, {second.returncode}")
    assert second.returncode == 0, (first.stderr, second.stderr)
    config = json.loads(files_on(virtual.image)["/data/config.json"])
    assert enrolling.identities(site.gateway_dir)[-1].secret.hex() == config["secret"]
