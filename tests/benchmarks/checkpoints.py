"""What a checkpoint every second costs: `python -m tests.benchmarks.checkpoints`.

A saturated writer, as the sequencer's thread is one: it commits batch after batch and asks each
time whether a checkpoint is due. Once with one a second, once with none, taking turns. The time
inside `sign_if_due` is counted, signature, root, file and sync.
"""

import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.config import LedgerConfig
from gateway.store.sqlite import SqliteStore
from tests.benchmarks import figures
from tests.benchmarks.ledgers import Packs, build, writer_on

ENTRIES, BATCH = 100_000, 64
SECONDS, ROUNDS = 3.0, 14
NEVER = 10**9
CONFIGS = {
    "every second": LedgerConfig(checkpoint_every_entries=NEVER),
    "never": LedgerConfig(checkpoint_every_ms=NEVER, checkpoint_every_entries=NEVER),
}


def checkpoints(folder: Path) -> dict[str, Any]:
    made = build(folder / "garden", ENTRIES)
    rates: dict[str, list[float]] = {name: [] for name in CONFIGS}
    shares, each_ms = [], []
    with closing(SqliteStore(made.ledger)) as store:
        for turn in range(ROUNDS):
            # each is first every other time: the ledger grows, and the machine has its moods
            for name in sorted(CONFIGS, reverse=bool(turn % 2)):
                packs = Packs(epoch=2 + 2 * turn + list(CONFIGS).index(name))
                rate, signing = _saturated(writer_on(store, made, CONFIGS[name]), packs)
                rates[name].append(rate)
                if name == "every second":
                    shares.append(sum(signing) / SECONDS)
                    each_ms += [took * 1000 for took in signing]
    with_, without = (statistics.median(rates[name]) for name in CONFIGS)
    pairs = zip(*(rates[name] for name in CONFIGS), strict=True)
    lost = sorted(1 - signed / unsigned for signed, unsigned in pairs)
    return {
        "batch": BATCH,
        "entries_per_s": round(with_),
        "without_per_s": round(without),
        "lost_percent": round(statistics.median(lost) * 100, 2),
        "lost_percent_from_to": [round(lost[0] * 100, 1), round(lost[-1] * 100, 1)],
        "signing_percent": round(statistics.median(shares) * 100, 2),
        "checkpoint_ms": round(statistics.median(each_ms), 2),
    }


def _saturated(writer: Any, packs: Packs) -> tuple[float, list[float]]:
    """Entries a second, and the seconds that each checkpoint took."""
    count, signing = 0, []
    began = time.monotonic()
    while time.monotonic() < began + SECONDS:
        writer.commit([packs.next() for _ in range(BATCH)], {})
        count += BATCH
        before, started = writer.note, time.monotonic()
        writer.sign_if_due(started)
        if writer.note != before:
            signing.append(time.monotonic() - started)
    return count / (time.monotonic() - began), signing


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    print(
        f"a saturated writer, batches of {found['batch']}: {found['entries_per_s']}/s with a"
        f" checkpoint a second, {found['without_per_s']}/s with none:"
        f" {found['lost_percent']} % lost {found['lost_percent_from_to']};"
        f" {found['signing_percent']} % of its time is in signing"
        f" (baseline {held.get('signing_percent', '-')}), {found['checkpoint_ms']} ms each"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as made:
        figures.report("checkpoints", checkpoints(Path(made)), show)
