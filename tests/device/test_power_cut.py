"""Power cuts at every flash operation: what was flushed is delivered, and no epoch comes twice."""

import json
from pathlib import Path

import pytest

from tests.interpreters import run_micropython

SWEEP = Path(__file__).with_name("powercut_sweep.py")


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", ["always", "batch", "outage"])
@pytest.mark.parametrize("program_bytes", [32, 256])
def test_no_power_cut_loses_damages_or_repeats(program_bytes, mode, step, tmp_path):
    """At every `step`-th operation."""
    arguments = ["-X", "heapsize=8M", str(SWEEP), str(program_bytes), mode, str(step)]

    run = run_micropython(arguments, tmp_path)

    assert run.returncode == 0, run.stdout[-2000:]
    counts = json.loads(run.stdout.splitlines()[-1])
    print(counts)
    assert counts["cuts"] > (100 if mode == "always" else 30) // step
    for harm in ("lost", "corrupt", "repeated_epochs", "disordered", "ended_wrong"):
        assert counts[harm] == 0, counts
    assert counts["duplicates"] < 8 * counts["cuts"]
