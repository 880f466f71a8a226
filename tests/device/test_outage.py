"""A day without a network: what was measured meanwhile is delivered once it is back."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interpreters import run_micropython

HOUR_OF_PACKS = 360  # one every 10 s
DAY_OF_PACKS = 24 * HOUR_OF_PACKS
AFTERWARDS = 60  # packs that are sealed when the network is there again
# The agent, the gateway of the test and the clock; far from what a pack more each would take.
HEAP = "256K"
FLAT_BYTES = 2048 + 4096  # the second is what the outbox keeps in RAM before it spills
SEGMENT_BYTES = 4000


def outage(tmp_path: Path, **task: int) -> dict[str, Any]:
    """What came of it; the task's keys are those of tests/device/outage.py."""
    task_text = json.dumps({"image": str(tmp_path / "flash.img"), **task})
    arguments = ["-X", f"heapsize={HEAP}", "-m", "tests.device.outage", task_text]
    run = run_micropython(arguments, tmp_path, timeout_s=600)
    assert run.returncode == 0, run.stdout[-3000:]
    found = json.loads(run.stdout.splitlines()[-1])
    records = task["packs"] + 1
    print(f"\n{task}")
    print(
        f"heap {found['heap_start']} before, {found['heap_most']} at most,"
        f" {found['heap_end']} after;"
        f" delivered {found['delivered_after_s']} s after the network came back"
    )
    print(
        f"flash {found['erases'] / records:.2f} erases and"
        f" {found['programmed_bytes'] / records:.0f} bytes a pack,"
        f" {found['most_erases_of_a_block']} erases of one block;"
        f" kept {found['kept']}, dropped {found['device']['dropped']}"
    )
    return found


def assert_in_order_on_time_and_once(found: dict[str, Any]) -> None:
    assert [found[fault] for fault in ("disorder", "repeats", "late")] == [0, 0, 0]
    assert found["lost_datagrams"] > 100  # it did try


def assert_memory_is_flat(found: dict[str, Any], outbox_bytes: int) -> None:
    """But for the sizes of the outbox's segments, each about a flash block, which it remembers."""
    segments = outbox_bytes // SEGMENT_BYTES
    assert found["heap_most"] - found["heap_start"] < FLAT_BYTES + 64 * segments
    assert found["heap_end"] - found["heap_start"] < FLAT_BYTES + 16 * segments


@pytest.mark.parametrize("program_bytes", [256, pytest.param(32, marks=pytest.mark.slow)])
def test_an_hour_of_packs_outlives_a_day_without_a_network(program_bytes, tmp_path):
    found = outage(
        tmp_path, program_bytes=program_bytes, outbox_bytes=131_072, hours=24, packs=HOUR_OF_PACKS
    )

    assert (found["kept"], found["missing"]) == (HOUR_OF_PACKS + 1, 0)
    assert_in_order_on_time_and_once(found)
    assert_memory_is_flat(found, 131_072)


def test_an_outbox_that_is_too_small_drops_the_oldest_and_the_count_arrives(tmp_path):
    packs = HOUR_OF_PACKS + AFTERWARDS

    found = outage(tmp_path, program_bytes=256, outbox_bytes=16_384, hours=1, packs=packs)

    assert found["missing"] == found["told_dropped"] == found["device"]["dropped"] > 200
    assert found["kept"] == packs + 1 - found["missing"]
    assert_in_order_on_time_and_once(found)
    assert_memory_is_flat(found, 16_384)


@pytest.mark.slow
@pytest.mark.parametrize("program_bytes", [32, 256])
def test_a_day_of_packs_outlives_a_day_without_a_network(program_bytes, tmp_path):
    found = outage(
        tmp_path,
        program_bytes=program_bytes,
        outbox_bytes=2_000_000,
        hours=24,
        packs=DAY_OF_PACKS + AFTERWARDS,
    )

    assert (found["kept"], found["missing"]) == (DAY_OF_PACKS + AFTERWARDS + 1, 0)
    assert_in_order_on_time_and_once(found)
    assert_memory_is_flat(found, 2_000_000)


@pytest.mark.slow
def test_a_day_of_packs_in_the_default_outbox_drops_the_oldest_and_the_count_arrives(tmp_path):
    packs = DAY_OF_PACKS + AFTERWARDS

    found = outage(tmp_path, program_bytes=256, outbox_bytes=65_536, hours=24, packs=packs)

    assert found["missing"] == found["told_dropped"] == found["device"]["dropped"] > 8000
    assert found["kept"] == packs + 1 - found["missing"]
    assert_in_order_on_time_and_once(found)
    assert_memory_is_flat(found, 65_536)
