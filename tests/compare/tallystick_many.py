"""A Tallystick ledger of many real packs, made without a network: see tests/fakes.py."""

import os
from collections.abc import Callable
from pathlib import Path

from gateway import directory as directories
from gateway.directory import Directory
from gateway.ledger.batch import PACK, Number, Submission
from gateway.ledger.log import Draft
from gateway.store.sqlite import SqliteStore
from protocol import senml
from protocol.senml import Reading
from tests.compare.systems import disk_bytes
from tests.fakes import NOW_MS, ORIGIN, FakeDevice
from tests.gateway.ledger_files import writer_on
from tools.verify import verdicts_of

_BATCH = 1000


class TallystickMany:
    """A gateway's directory with packs of three readings each, all of them signed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "many"

    def fill_many(self, count: int) -> int:
        signer = directories.create(self._path, ORIGIN, f'origin = "{ORIGIN}"\n')
        made, device = Directory(self._path), FakeDevice("greenhouse-1")
        (self._path / "verifier.key").write_text(f"{signer.verifier_text}\n")
        store = SqliteStore(made.ledger)
        writer = writer_on(store, made, signer)
        for start in range(0, count, _BATCH):
            writer.commit([_pack(device, n) for n in range(start, min(start + _BATCH, count))], {})
        writer.sign_if_due(0, force=True)
        store.close()
        return disk_bytes(self._path)

    def open_many(self, count: int) -> Callable[[], int]:
        vkey = (self._path / "verifier.key").read_text().strip()

        def verify() -> int:
            (verdict,) = verdicts_of(str(self._path), vkey)
            assert verdict.valid, verdict
            return verdict.signed

        return verify

    def process_id(self) -> int:
        return os.getpid()

    def close(self) -> None:
        return


def _pack(device: FakeDevice, n: int) -> Submission:
    time_ms = NOW_MS + 1000 * n
    readings = [
        Reading(f"{device.name}/temperature", "Cel", 20 + n % 7, time_ms),
        Reading(f"{device.name}/humidity", "%RH", 40 + n % 11, time_ms),
        Reading(f"{device.name}/battery", "V", 3, time_ms),
    ]
    body = device.seal_payload(senml.encode_pack(f"{device.name}/", readings), n)
    return Submission(Draft(PACK, device.name, body), Number(device.kid, 1, n))
