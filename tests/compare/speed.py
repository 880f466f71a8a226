"""How fast each system verifies the same number of events: same run, taking turns."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from tests.compare.worker import Worker

YARDSTICK = "tallystick"


def measure(workers: dict[str, Sequence[Worker]], count: int, rounds: int) -> dict[str, Any]:
    """`workers` are two fresh ones a system: one fills, one verifies. A figure each."""
    bytes_on_disk = {}
    with ExitStack() as running:
        for system, (filler, verifier) in workers.items():
            with filler:
                bytes_on_disk[system] = filler.call("fill", count)
            running.enter_context(verifier).call("open", count)
        timed: dict[str, list[dict[str, Any]]] = {system: [] for system in workers}
        for _ in range(rounds):
            for system, (_, verifier) in workers.items():
                timed[system].append(verifier.call("verify"))
    figures = {
        system: _figures(runs, count) | {"disk_bytes_per_event": bytes_on_disk[system] / count}
        for system, runs in timed.items()
    }
    ours = figures[YARDSTICK]["events_per_s"]
    for row in figures.values():
        row["ratio"] = round(row["events_per_s"] / ours, 2)
    return figures


def _figures(runs: list[dict[str, Any]], count: int) -> dict[str, Any]:
    assert all(run["events"] == count for run in runs), runs
    seconds = [run["seconds"] for run in runs]
    return {
        "events_per_s": round(count / statistics.median(seconds)),
        "seconds": [round(one, 4) for one in seconds],
        "peak_bytes": max(run["peak_bytes"] for run in runs),
    }
