"""Power cuts at every flash operation: what was flushed is delivered, and no epoch comes twice."""

import json
from pathlib import Path

import pytest

from tests.interpreters import run_micropython

SWEEP = Path(__file__).with_name("powercut_sweep.py")


@pytest.mark.parametrize("mode", ["always", "batch", "outage"])
@pytest.mark.parametrize("program_bytes", [32, 256])
def test_no_power_cut_loses_damages_or_repeats(program_bytes, mode, tmp_path):
    arguments = ["-X", "heapsize=8M", str(SWEEP), str(program_bytes), mode, "1"]

    run = run_micropython(arguments, tmp_path)

    assert run.returncode == 0, run.stdout[-2000:]
    counts = json.loads(run.stdout.splitlines()[-1])
    print(counts)
    assert counts["cuts"] > (100 if mode == "always" else 30)
    for harm in ("lost", "corrupt", "repeated_epochs", "disordered", "ended_wrong"):
        assert counts[harm] == 0, counts
    assert counts["duplicates"] < 8 * counts["cuts"]
