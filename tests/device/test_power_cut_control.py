"""Power cuts at every flash operation while a board is told things: one state or the other."""

import json
from pathlib import Path

import pytest

from tests.interpreters import run_micropython

SWEEP = Path(__file__).with_name("control_sweep.py")


@pytest.mark.parametrize(
    ("program_bytes", "step"),
    [(256, 4), *(pytest.param(n, 1, marks=pytest.mark.slow) for n in (32, 256))],
)
def test_no_power_cut_tears_a_configuration_or_does_a_command_twice(program_bytes, step, tmp_path):
    """At every `step`-th operation."""
    arguments = ["-X", "heapsize=64M", str(SWEEP), str(program_bytes), str(step)]

    run = run_micropython(arguments, tmp_path)

    assert run.returncode == 0, run.stdout[-2000:]
    counts = json.loads(run.stdout.splitlines()[-1])
    print(counts)
    assert counts.pop("cuts") > 60 // step
    assert set(counts.values()) == {0}, counts
