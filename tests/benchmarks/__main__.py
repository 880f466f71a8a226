"""Figures as ratios to a yardstick measured in the same run: `make bench`.

Machines are noisy: quote the ratios and the medians, not single absolute figures. With
--baseline the result is written to baseline.json; otherwise it is printed beside it.
"""

import contextlib
import hashlib
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import figures
from tests.benchmarks.door import door
from tests.benchmarks.door import show as show_door
from tests.benchmarks.signed import show as show_signed
from tests.benchmarks.signed import signed
from tools.targets import ledgers
from tools.verify import verdicts_of

ROUNDS = 3


def main() -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}"
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        figures.report("machine", machine, lambda found, _: print(found))
        figures.report("door", door(Path(folder)), show_door)
        with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as apart:
            figures.report("signed", signed(Path(apart)), show_signed)
        figures.report("verify", verify(Path(folder)), _show_verify)


def verify(folder: Path) -> dict[str, Any]:
    """Entries a second of the outside verifier, beside hashing the same bytes and no more."""
    ledger = folder / "gateway" / "ledger.sqlite"
    rates, bare = [], []
    entries = 0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        (verdict,) = verdicts_of(str(folder / "gateway"))
        rates.append(verdict.entries / (time.perf_counter() - started))
        assert verdict.valid, verdict
        entries = verdict.entries
        with contextlib.closing(ledgers(str(ledger), "", "")[0]) as opened:
            rows = [row for n in range(0, opened.size, 256) for row in opened.rows(n, opened.size)]
        started = time.perf_counter()
        for _, _, _, _, leaf, chain, salt, body in rows:
            # what verifying cannot do without: body, leaf, chain and one node an entry
            hashlib.sha256(salt + (body or b"")).digest()
            hashed = hashlib.sha256(b"\x00" + leaf).digest()
            hashlib.sha256(chain + hashed).digest()
            hashlib.sha256(b"\x01" + hashed + hashed).digest()
        bare.append(len(rows) / (time.perf_counter() - started))
    ours, yardstick = statistics.median(rates), statistics.median(bare)
    return {
        "entries": entries,
        "entries_per_s": round(ours),
        "sha256_loop_per_s": round(yardstick),
        "ratio": round(ours / yardstick, 3),
    }


def _show_verify(row: dict[str, Any], held: dict[str, Any]) -> None:
    print(
        f"verify of {row['entries']} entries: {row['entries_per_s']}/s, bare SHA-256 loop"
        f" {row['sha256_loop_per_s']}/s, ratio {row['ratio']} (baseline {held.get('ratio', '-')})"
    )


if __name__ == "__main__":
    main()
