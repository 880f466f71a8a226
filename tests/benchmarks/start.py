"""How long a gateway with five million entries takes to start: `python -m tests.benchmarks.start`.

From nothing open to the first commit on stable storage: the start-up check, the writer, one
pack. The ledger is built first, in FOLDER or in a temporary one, which takes minutes and about
1.5 GB. What is stored was read before by nobody: the page cache is asked to forget the file.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway.directory import Directory
from tests.benchmarks import figures
from tests.benchmarks.ledgers import ORIGIN, Packs, build, writer_on

ENTRIES, ROUNDS = 5_000_000, 5


def start(folder: Path, entries: int = ENTRIES) -> dict[str, Any]:
    """Seconds; medians over ROUNDS."""
    garden = folder / "garden"
    made = Directory(garden) if garden.exists() else build(garden, entries)
    packs = Packs(epoch=2)
    runs = [_start(made, packs) for _ in range(ROUNDS)]
    opened, wrote, total = (statistics.median(part) for part in zip(*runs, strict=True))
    return {
        "entries": entries,
        "bytes": made.ledger.stat().st_size,
        "check_s": round(opened, 3),
        "writer_and_first_commit_s": round(wrote, 3),
        "total_s": round(total, 3),
    }


def _start(made: Directory, packs: Packs) -> tuple[float, float, float]:
    _forget(made.ledger)
    began = time.perf_counter()
    store, note, signed = made.open_checked(made.load_signer(ORIGIN))
    checked = time.perf_counter()
    writer = writer_on(store, made)
    writer.resume(signed, note)
    writer.commit([packs.next()], {})
    ended = time.perf_counter()
    writer.sign_if_due(0, force=True)
    store.close()
    return checked - began, ended - checked, ended - began


def _forget(file: Path) -> None:
    """Out of the page cache, so that a start reads from the disk as after a power cut."""
    handle = os.open(file, os.O_RDONLY)
    os.fsync(handle)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    print(
        f"start with {found['entries']} entries, {found['bytes'] / 1e9:.2f} GB:"
        f" check {found['check_s']} s, writer and first commit"
        f" {found['writer_and_first_commit_s']} s, together {found['total_s']} s"
        f" (baseline {held.get('total_s', '-')})"
    )


if __name__ == "__main__":
    where = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as temporary:
        figures.report("start", start(where[0] if where else Path(temporary)), show)
