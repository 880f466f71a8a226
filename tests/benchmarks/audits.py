"""How fast a ledger is verified, and in how much memory: `python -m tests.benchmarks.audits`.

The yardstick hashes the same bytes, which lie in memory, and does no more: bodies, leaves,
chain, tree. Memory is what the kernel counted for the command, Python and all.
"""

import contextlib
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway.ledger import fsck
from gateway.store.sqlite import SqliteReader
from tests.benchmarks import figures
from tests.benchmarks.ledgers import ORIGIN, build
from tools.ledger_file import PAGE, LedgerFile
from tools.verify import verdicts_of

SIZES = (100_000, 1_000_000)
ROUNDS = 3
_MEASURED = (
    "import resource, subprocess, sys;"
    "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def audits(folder: Path, sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for size in sizes:
        garden = build(folder / str(size), size).path
        rounds = [(*_verified(garden), _hashed(garden), _checked(garden)) for _ in range(ROUNDS)]
        middle = [statistics.median(rates) for rates in zip(*rounds, strict=True)]
        verified, by_cpu, hashed, checked = middle
        found[str(size)] = {
            "verify_per_s": round(verified),
            "verify_per_cpu_s": round(by_cpu),
            "sha256_loop_per_s": round(hashed),
            "ratio": round(verified / hashed, 3),
            "fsck_per_s": round(checked),
            "verify_mb": _peak_mb("verify", garden),
            "fsck_mb": _peak_mb("fsck", garden),
        }
    return found


def _verified(garden: Path) -> tuple[float, float]:
    """Entries a second, and a second of CPU: where other work runs, the two differ."""
    started, cpu = time.perf_counter(), time.process_time()
    (verdict,) = verdicts_of(str(garden))
    assert verdict.valid, verdict
    took, took_cpu = time.perf_counter() - started, time.process_time() - cpu
    return verdict.entries / took, verdict.entries / took_cpu


def _hashed(garden: Path) -> float:
    with contextlib.closing(LedgerFile(garden / "ledger.sqlite")) as ledger:
        count = min(ledger.size, SIZES[0])
        rows = [row for start in range(0, count, PAGE) for row in ledger.rows(start, count)]
    started = time.perf_counter()
    for _, _, _, _, leaf, chain, salt, body in rows:
        # what verifying cannot do without: body, leaf, chain and one node an entry
        hashlib.sha256(salt + (body or b"")).digest()
        hashed = hashlib.sha256(b"\x00" + leaf).digest()
        hashlib.sha256(chain + hashed).digest()
        hashlib.sha256(b"\x01" + hashed + hashed).digest()
    return len(rows) / (time.perf_counter() - started)


def _checked(garden: Path) -> float:
    started = time.perf_counter()
    with contextlib.closing(SqliteReader(garden / "ledger.sqlite")) as store:
        report = fsck.check(store, ORIGIN, (garden / "checkpoint").read_text())
    assert report.valid, report
    return report.entries / (time.perf_counter() - started)


def _peak_mb(command: str, garden: Path) -> int:
    """Of the command as a process; started by a small one, whose memory it has before it runs."""
    ours = [sys.executable, "-m", "tools", command, str(garden)]
    said = subprocess.run(
        [sys.executable, "-c", _MEASURED, *ours], capture_output=True, text=True, check=True
    )
    return round(int(said.stdout) / 1000)


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    for size, row in found.items():
        before = held.get(size, {}).get("ratio", "-")
        print(
            f"{size:>8} entries: verify {row['verify_per_s']}/s"
            f" ({row['verify_per_cpu_s']} a second of CPU), bare SHA-256 loop"
            f" {row['sha256_loop_per_s']}/s, ratio {row['ratio']} (baseline {before}),"
            f" {row['verify_mb']} MB; fsck {row['fsck_per_s']}/s, {row['fsck_mb']} MB"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as made:
        figures.report("audits", audits(Path(made)), show)
