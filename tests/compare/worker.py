"""One system in a process of its own, under the Python that has it: a JSON line in, one out.

`python -m tests.compare.worker SYSTEM FOLDER` is the inside; `Worker` is the other end.
"""

import contextlib
import importlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.compare import attacks
from tests.compare.systems import Timed

SYSTEMS = ("tallystick", "auditedb", "rust_py_audit", "audit_stream")  # modules beside us
_ANSWER_S = 1800  # the longest is filling a ledger of a million
_STOP_S = 30


class Worker:
    def __init__(self, python: str, system: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._system = system
        # the SDK of AuditeDB would take its settings from whoever runs us
        clean = {name: value for name, value in os.environ.items() if "ELASTIK" not in name}
        self._process = subprocess.Popen(
            [python, "-m", "tests.compare.worker", system, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean | {"ELASTIK_NO_DOTENV": "1"},
        )

    def call(self, what: str, *arguments: Any) -> Any:
        """The answer of `what`, a method of _Inside. RuntimeError where none comes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, *arguments]) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], _ANSWER_S)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"{self._system} did not answer {what!r}; see above")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """The worker ends itself when nobody asks any more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._process.stdout.close()


class _Inside:
    """The calls, on one system in one folder."""

    def __init__(self, adapter: Any, folder: Path) -> None:
        self._adapter = adapter
        self._folder = folder
        self._timed: Timed | None = None
        self._verify: Callable[[], int] = lambda: 0

    def about(self) -> dict[str, str]:
        return {"version": self._adapter.VERSION, "about": self._adapter.ABOUT}

    def attacks(self) -> dict[str, Any]:
        cells = attacks.run_all(self._adapter.ATTACKED, self._folder)
        return {attack: cell.as_json() for attack, cell in cells.items()}

    def fill(self, count: int) -> int:
        """Bytes on disk."""
        timed: Timed = self._adapter.TIMED(self._folder)
        try:
            return timed.fill_many(count)
        finally:
            timed.close()

    def open(self, count: int) -> None:
        self._timed = self._adapter.TIMED(self._folder)
        self._verify = self._timed.open_many(count)

    def verify(self) -> dict[str, Any]:
        """Timed in here, without the way to here."""
        assert self._timed is not None
        started = time.perf_counter()
        events = self._verify()
        seconds = time.perf_counter() - started
        peak_bytes = _peak_bytes(self._timed.process_id())
        return {"seconds": seconds, "events": events, "peak_bytes": peak_bytes}

    def close(self) -> None:
        if self._timed is not None:
            self._timed.close()


def main() -> None:
    system, folder = sys.argv[1:]
    inside = _Inside(importlib.import_module(f"tests.compare.{system}"), Path(folder))
    try:
        for line in sys.stdin:
            what, *arguments = json.loads(line)
            with contextlib.redirect_stdout(sys.stderr):
                answer = getattr(inside, what)(*arguments)
            print(json.dumps(answer), flush=True)
    finally:
        inside.close()


def _peak_bytes(process: int) -> int:
    """The most that was ever resident of `process`."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
