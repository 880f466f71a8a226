"""What a witness costs: a collector's batch with and without a cosignature, and hearing one.

`python -m tests.benchmarks.cosigning`; the two kinds take turns in one run.
"""

import statistics
import tempfile
import time
from pathlib import Path

from gateway.collect.cosigning import Cosigning
from gateway.collect.origins import Origins
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from gateway.witness import files
from protocol.batch import Batch
from tests.fakes import FakeDevice, FakeGateway
from tests.gateway.anchored import Anchored
from tests.gateway.witnesses import VKEY, Clock, asking, grown

BATCHES, ENTRIES, ROUNDS = 100, 50, 3


def main() -> None:
    made = batches()
    for _ in range(ROUNDS):
        plain, cosigned = collected(made, False), collected(made, True)
        print(
            f"a batch of {ENTRIES}, median of {BATCHES}:"
            f" {plain[0]:.1f} ms, {plain[1]:.1f} of CPU; cosigned, too:"
            f" {cosigned[0]:.1f} ms, {cosigned[1]:.1f} of CPU"
        )
    print(f"a gateway hears a cosignature: {heard() * 1e6:.0f} us of CPU")


def batches() -> list[Batch]:
    """Each under a checkpoint of its own."""
    gateway, device, made = FakeGateway(), FakeDevice("shed"), []
    for start in range(0, BATCHES * ENTRIES, ENTRIES):
        gateway.commit(*(device.submission(start + n) for n in range(ENTRIES)))
        note = gateway.sign()
        view = LedgerView(gateway.store, gateway.signer, lambda note=note: note)
        made.append(view.batch(Send(start, start + ENTRIES)))
    return made


def collected(made: list[Batch], cosigned: bool) -> tuple[float, float]:
    """Median ms of wall clock and of CPU for one batch, syncs included."""
    walls, cpus = [], []
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder)
        files.create(path, "witness")
        origins = Origins(path, [VKEY])
        witness = files.opened(path, origins.signers, Clock()) if cosigned else None
        cosigning = Cosigning(origins, witness)
        for batch in made:
            wall, cpu = time.perf_counter(), time.thread_time()
            origins.receive(batch)
            assert bool(cosigning.cosigned(batch.origin)) is cosigned
            walls.append(time.perf_counter() - wall)
            cpus.append(time.thread_time() - cpu)
        origins.close()
        if witness:
            witness.close()
    return statistics.median(walls) * 1000, statistics.median(cpus) * 1000


def heard() -> float:
    """CPU seconds for one cosigned note."""
    count = 200
    with tempfile.TemporaryDirectory(dir=".") as folder:
        site = Anchored(Path(folder), gateway=grown(count))
        witness = site.wires[0].witness
        shown = [witness.add(asking(site.gateway, n, n + 1)).note for n in range(count)]
        started = time.thread_time()
        for note in shown:
            site.anchors.take(note)
        used = time.thread_time() - started
        assert site.anchors.size == count
        site.close()
    return used / count


if __name__ == "__main__":
    main()
