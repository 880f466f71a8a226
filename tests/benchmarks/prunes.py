"""What a prune costs, and what it costs others: `python -m tests.benchmarks.prunes [ENTRIES]`.

A ledger of packs whose older half is deleted by the gateway's own pruner, while packs are
submitted 200 times a second. The yardstick is the same submissions on the same ledger before:
how long each waits for its commit. `zeros` is whether deleted bytes are overwritten, as the
gateway always does.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from gateway.config import LedgerConfig
from gateway.feed import Feed
from gateway.ledger import pruning
from gateway.ledger.pruning import Order
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.pruner import Pruner
from gateway.sequencer import Sequencer
from gateway.space import Space
from gateway.store.sqlite import SqliteStore
from gateway.surroundings import Surroundings
from tests.benchmarks.ledgers import DEVICES, ORIGIN, Packs, build

ENTRIES = 300_000
_EVERY_S = 0.005
_YARDSTICK_S = 4


class Waits(NamedTuple):
    """Milliseconds from submission to answer."""

    median: float
    p99: float
    longest: float
    count: int


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    for zeros in (True, False, True, False):
        with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
            asyncio.run(measure(Path(folder) / "garden", entries, zeros=zeros))


async def measure(path: Path, entries: int, *, zeros: bool) -> None:
    store, sequencer, pruner = opened(path, entries, zeros=zeros)
    await pruner.empty_log()
    packs, sizes, waits = Packs(epoch=2), [store.sizes()], {}
    waits["quiet"] = await beside(sequencer, packs, asyncio.sleep(_YARDSTICK_S))
    work = {
        f"one device of {DEVICES}": delete(store, pruner, Order(source="device-0"), entries),
        "the older half": delete(store, pruner, Order(), entries // 2),
        "giving back": give_back(pruner),
    }
    deleted = []
    for name, doing in work.items():
        running = asyncio.ensure_future(doing)
        waits[name] = await beside(sequencer, packs, running)
        sizes.append(store.sizes())
        deleted.append((name, running.result()))
    await sequencer.stop()
    store.close()
    print(f"{entries} entries, zeros {'on' if zeros else 'off'}")
    for name, waited in waits.items():
        print(f"  submissions wait, ms, beside {name:<17} {_shown(waited)}")
    for name, (steps, bodies, in_steps_s, total_s) in deleted[:2]:
        print(
            f"  {name}: {bodies} bodies in {steps} steps, {bodies / in_steps_s:.0f}/s in the steps,"
            f" {bodies / total_s:.0f}/s with pauses"
        )
    full, _, pruned, released = sizes
    print(
        f"  in use {full.used_bytes / 1e6:.1f} MB before, {pruned.used_bytes / 1e6:.1f} after;"
        f" file {full.file_bytes / 1e6:.1f} MB before, {released.file_bytes / 1e6:.1f} after,"
        f" given back in {deleted[2][1][3]:.1f} s"
    )


def opened(path: Path, entries: int, *, zeros: bool) -> tuple[SqliteStore, Sequencer, Pruner]:
    """A new ledger with its writer, as a gateway has it."""
    directory = build(path, entries)
    signer = directory.load_signer(ORIGIN)
    store = SqliteStore(directory.ledger)
    store._writer.pragma("secure_delete", int(zeros))
    config, metrics = LedgerConfig(), Metrics()
    writer = LedgerWriter(store, signer, Surroundings(directory), config, metrics)
    writer.resume(entries, directory.checkpoint.read_text())
    sequencer = Sequencer(writer, Feed(), metrics, config, print)
    space = Space(store, None, metrics, disk_free_bytes=lambda: 0)
    return store, sequencer, Pruner(store, sequencer, space, metrics)


async def delete(
    store: SqliteStore, pruner: Pruner, order: Order, stop: int
) -> tuple[int, int, float, float]:
    """(steps, bodies, seconds in the steps, seconds in all)."""
    left: Order | None = order
    steps = bodies = 0
    in_steps_s, started = 0.0, time.monotonic()
    while left is not None:
        look, left = await asyncio.to_thread(
            store.read,
            lambda reader, order=left: pruning.follow(reader, order, stop, pruner.pace.step_bytes),
        )
        if look.step:
            began = time.monotonic()
            done = await pruner.prune(look.step, "retention")
            # the pruner pauses for as long as the step took
            in_steps_s += (time.monotonic() - began) / 2
            steps, bodies = steps + 1, bodies + (done.prune.count if done else 0)
    return steps, bodies, in_steps_s, time.monotonic() - started


async def give_back(pruner: Pruner) -> tuple[int, int, float, float]:
    started = time.monotonic()
    await pruner.empty_log()
    await pruner.give_back()
    await pruner.empty_log()
    return 0, 0, 0.0, time.monotonic() - started


async def beside(sequencer: Sequencer, packs: Packs, work: "asyncio.Future[object]") -> Waits:
    """How long submissions wait while `work` is done."""
    working = asyncio.ensure_future(work)
    waits: list[float] = []
    answers = []
    while not working.done():
        submitted = time.monotonic()
        answer = sequencer.submit(packs.next())
        answer.add_done_callback(
            lambda _, submitted=submitted: waits.append((time.monotonic() - submitted) * 1000)
        )
        answers.append(answer)
        await asyncio.sleep(_EVERY_S)
    await asyncio.gather(*answers)
    waits.sort()
    return Waits(waits[len(waits) // 2], waits[len(waits) * 99 // 100], waits[-1], len(waits))


def _shown(waits: Waits) -> str:
    return (
        f"median {waits.median:5.1f}  p99 {waits.p99:5.1f}  longest {waits.longest:5.1f}"
        f"  of {waits.count}"
    )


if __name__ == "__main__":
    main()
