"""Tallystick beside three rivals, attack by attack and event by event: `make compare`.

Nothing is remembered from an earlier run: each cell is an attack made now, and what the
system's own means said of it. The rivals run under a Python of their own, --rivals.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.compare import report, speed
from tests.compare.worker import SYSTEMS, Worker

ROUNDS = 3
_RIVALS = ".venv-compare/bin/python"


def main() -> None:
    given = _arguments()
    result: dict[str, Any] = {
        "machine": _machine(),
        "events": given.events,
        "rounds": ROUNDS,
        "systems": {},
    }
    with tempfile.TemporaryDirectory(prefix="tallystick-compare-") as folder:
        for system in SYSTEMS:
            print(f"attacking {system}", file=sys.stderr)
            with _worker(given.rivals, system, Path(folder, "attacks")) as worker:
                about = worker.call("about")
                result["systems"][system] = about | {"attacks": worker.call("attacks")}
        print(f"filling and verifying {given.events} events, taking turns", file=sys.stderr)
        many = Path(folder, "speed")
        pairs = {
            system: [_worker(given.rivals, system, many) for _ in ("fills", "verifies")]
            for system in SYSTEMS
        }
        for system, figures in speed.measure(pairs, given.events, ROUNDS).items():
            result["systems"][system]["speed"] = figures
    print(json.dumps(result, indent=2) if given.json else report.text(result))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compare", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="to verify, in each system")
    parser.add_argument("--rivals", default=_RIVALS, help="the Python that has them")
    parser.add_argument("--json", action="store_true", help="the whole result, for scripts")
    given = parser.parse_args()
    if given.events < 1:
        parser.error("--events is at least 1")
    if not Path(given.rivals).exists():
        parser.error(f"{given.rivals} is not there: `make compare` makes it")
    return given


def _worker(rivals: str, system: str, folder: Path) -> Worker:
    ours = system == speed.YARDSTICK
    return Worker(sys.executable if ours else rivals, system, folder / system)


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}"


if __name__ == "__main__":
    main()
