"""What the outbox may cost a flash, measured in a model of one; heap and code are elsewhere.

Heap: test_end_to_end.py and test_signed_end_to_end.py run in fixed ones. Code: test_compiles.py.
"""

import json
from pathlib import Path

import pytest

from tests.interpreters import run_micropython

WEAR = Path(__file__).with_name("wear_by_mode.py")
MAX_ERASES = 0.15  # an envelope, in the default mode


@pytest.fixture(scope="module")
def wear(tmp_path_factory):
    """Erases and bytes an envelope, by program size and scenario, in the default mode."""
    run = run_micropython(
        ["-X", "heapsize=8M", str(WEAR), "batch"], tmp_path_factory.mktemp("wear")
    )
    assert run.returncode == 0, run.stdout[-2000:]
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    for one in found:
        print(one)
    return {(one["program_bytes"], one["scenario"]): one for one in found}


@pytest.mark.parametrize("program_bytes", [32, 256])
@pytest.mark.parametrize("scenario", ["online", "outage", "day"])
def test_the_default_mode_spares_the_flash(wear, scenario, program_bytes):
    assert wear[program_bytes, scenario]["erases"] <= MAX_ERASES


@pytest.mark.parametrize("program_bytes", [32, 256])
def test_while_the_gateway_answers_the_flash_is_all_but_left_alone(wear, program_bytes):
    assert wear[program_bytes, "online"]["erases"] <= 0.01
