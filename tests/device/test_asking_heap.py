"""What asking takes of a board's heap, each part alone, and that it gives all of it back."""

import json
import subprocess

import pytest

from tests.interpreters import ROOT, environment, micropython

MAX_BYTES = {"oscore": 10_240, "sending": 2048, "fetching": 2048, "observing": 2560}
MAX_GROWN_BYTES = 512


def measured(compiled_with_names, tmp_path, exchanges):
    """By part, on the bytecode that boards get."""
    program = [micropython(), "-X", "heapsize=400K", str(ROOT / "tests/device/asking_heap.py")]
    run = subprocess.run(
        [*program, str(tmp_path), str(exchanges)],
        env=environment(tmp_path) | {"MICROPYPATH": f"{compiled_with_names}:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    print(found)
    return found


@pytest.mark.parametrize("exchanges", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_each_part_fits_its_budget_and_exchanges_leave_nothing_behind(
    compiled_with_names, tmp_path, exchanges
):
    found = measured(compiled_with_names, tmp_path, exchanges)

    for part, most in MAX_BYTES.items():
        assert found[part] <= most, (part, found)
    assert found["grown"] <= MAX_GROWN_BYTES
