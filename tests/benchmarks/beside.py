"""What a commit waits for while somebody verifies beside it: `python -m tests.benchmarks.beside`.

A writer commits 20 packs at a time, 50 times a second, as the sequencer would; meanwhile there
is nobody, `verify` or `fsck` as a process of its own, or the check of GET /verify, which shares
the interpreter. The longest commit of a run counts; runs take turns, and medians are quoted.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gateway.http.status import Rest
from gateway.ledger import fsck
from gateway.ledger.fsck import Options
from gateway.ledger.writer import LedgerWriter
from gateway.store.sqlite import SqliteStore
from tests.benchmarks import figures
from tests.benchmarks.ledgers import ORIGIN, Packs, build, writer_on

ENTRIES, BATCH, EVERY_S = 300_000, 20, 0.02
SECONDS, ROUNDS = 4.0, 5


def beside(folder: Path) -> dict[str, Any]:
    """Milliseconds: the longest commit of a run, and the middle one; medians over ROUNDS."""
    made = build(folder / "garden", ENTRIES)
    store = SqliteStore(made.ledger)
    modes: dict[str, Callable[[], Any]] = {
        "nobody": _nobody,
        "verify": lambda: _process("verify", made.path),
        "fsck": lambda: _process("fsck", made.path),
        "GET /verify": lambda: _thread(store, Options(pause=Rest())),
        "GET /verify without rest": lambda: _thread(store, Options()),
    }
    runs: dict[str, list[list[float]]] = {name: [] for name in modes}
    with closing(store):
        writer, packs = writer_on(store, made), Packs(epoch=2)
        for _ in range(ROUNDS):
            for name, mode in modes.items():
                with mode():
                    runs[name].append(_commits(writer, packs))
    return {name: _shown(found) for name, found in runs.items()}


def _commits(writer: LedgerWriter, packs: Packs) -> list[float]:
    """How long each commit took, in ms, for SECONDS."""
    took = []
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        batch = [packs.next() for _ in range(BATCH)]
        started = time.monotonic()
        writer.commit(batch, {})
        took.append((time.monotonic() - started) * 1000)
        writer.sign_if_due(time.monotonic())
        time.sleep(EVERY_S)
    return took


@contextmanager
def _nobody() -> Iterator[None]:
    yield


@contextmanager
def _process(command: str, garden: Path) -> Iterator[None]:
    """One after another, for as long as the block lasts."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            subprocess.run(
                [sys.executable, "-m", "tools", command, str(garden)],
                stdout=subprocess.DEVNULL,
                check=True,
            )

    yield from _meanwhile(run, over)


@contextmanager
def _thread(store: SqliteStore, options: Options) -> Iterator[None]:
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            stoppable = options._replace(progress=lambda done, total: _stop_if(over))
            try:
                assert fsck.check(store, ORIGIN, "", stoppable).valid
            except InterruptedError:
                return

    yield from _meanwhile(run, over)


def _stop_if(over: threading.Event) -> None:
    if over.is_set():
        raise InterruptedError


def _meanwhile(run: Callable[[], None], over: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)  # until it is at work
    try:
        yield
    finally:
        over.set()
        thread.join()


def _shown(runs: list[list[float]]) -> dict[str, float]:
    longest = statistics.median(max(run) for run in runs)
    return {
        "longest_ms": round(longest, 1),
        "p99_ms": round(statistics.median(statistics.quantiles(run, n=100)[98] for run in runs), 1),
        "median_ms": round(statistics.median(statistics.median(run) for run in runs), 1),
    }


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    print(f"a commit of {BATCH} packs beside a check of {ENTRIES} entries, ms")
    for name, row in found.items():
        before = held.get(name, {}).get("longest_ms", "-")
        print(
            f"  {name:<26} longest {row['longest_ms']:>7} (baseline {before})"
            f"  p99 {row['p99_ms']:>7}  median {row['median_ms']:>7}"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as made:
        figures.report("beside", beside(Path(made)), show)
