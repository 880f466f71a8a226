"""Large ledgers for the benchmarks: real directories, written by the real writer.

The envelopes are of a real one's length and have their numbers; their tags are made up, since
no ledger looks at them.
"""

import hashlib
from pathlib import Path

from gateway import directory as directories
from gateway.config import LedgerConfig
from gateway.directory import Directory
from gateway.ledger.batch import PACK, Number, Submission
from gateway.ledger.log import Draft
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.store import Store
from gateway.store.sqlite import SqliteStore
from gateway.surroundings import Surroundings
from protocol import senml
from protocol.senml import Reading
from tests.fakes import NOW_MS, FakeDevice

ORIGIN = "bench.invalid/ledger"
DEVICES = 20
_BATCH = 20_000


def build(path: Path, entries: int) -> Directory:
    """A signed ledger of `entries` packs of DEVICES devices."""
    signer = directories.create(path, ORIGIN, f'origin = "{ORIGIN}"\n')
    made = Directory(path)
    path.joinpath("verifier.key").write_text(f"{signer.verifier_text}\n")
    store = SqliteStore(made.ledger)
    writer, packs = writer_on(store, made), Packs()
    for start in range(0, entries, _BATCH):
        writer.commit([packs.next() for _ in range(min(_BATCH, entries - start))], {})
    writer.sign_if_due(0, force=True)
    store.close()
    return made


def writer_on(store: Store, made: Directory, config: LedgerConfig | None = None) -> LedgerWriter:
    signer = made.load_signer(ORIGIN)
    return LedgerWriter(store, signer, Surroundings(made), config or LedgerConfig(), Metrics())


class Packs:
    """Submissions without end, of one device after another."""

    def __init__(self, epoch: int = 1) -> None:
        self._epoch = epoch
        self._count = 0
        self._devices = [FakeDevice(f"device-{n}") for n in range(DEVICES)]
        self._sealed = [_pack(device, epoch) for device in self._devices]

    def next(self) -> Submission:
        which, sequence = self._count % DEVICES, self._count // DEVICES
        self._count += 1
        device, sealed = self._devices[which], self._sealed[which]
        number = sequence.to_bytes(4, "big")
        tag = hashlib.sha256(number).digest()
        body = sealed[:24] + number + sealed[28:-32] + tag
        return Submission(Draft(PACK, device.name, body), Number(device.kid, self._epoch, sequence))


def _pack(device: FakeDevice, epoch: int) -> bytes:
    """Three readings, 150 bytes or so."""
    readings = [
        Reading(f"{device.name}/{name}", "Cel", 2150, NOW_MS)
        for name in ("inside", "outside", "soil")
    ]
    return device.seal_payload(senml.encode_pack(f"{device.name}/", readings), epoch=epoch)
