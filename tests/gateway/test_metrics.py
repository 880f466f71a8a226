"""What /metrics has, and what the README says that it has."""

import re
from pathlib import Path
from types import SimpleNamespace

from gateway.anchor.standing import Standing
from gateway.metrics import Metrics

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_every_metric_and_no_other():
    metrics = Metrics()
    Standing(SimpleNamespace(size=0), None, lambda: 0, lambda: 0, metrics.registry)

    found = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in metrics.registry.collect()
    }
    rows = [line for line in README.read_text().splitlines() if line.startswith("| `tallystick_")]
    listed = {name for row in rows for name in re.findall(r"`(tallystick_\w+)", row)}

    assert found == listed
