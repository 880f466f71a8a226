"""What changing and reading durable resources costs: `python -m tests.benchmarks.resources`.

The writer over SQLite, without a door: changes a second in batches of so many, beside packs in
the same run, and milliseconds for a read.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.ledger.batch import Submission
from gateway.ledger.changes import MAX_PARTS, Limits
from gateway.ledger.contents import assembled
from gateway.store.sqlite import SqliteStore
from tests.benchmarks import figures
from tests.fakes import FakeDevice, FakeGateway
from tests.gateway.resourceful import post, put

CONTENT = bytes(100)
LIMITS = Limits(1 << 19, 10**6, 1 << 40)
COUNT, READS = 10_240, 50


def resources(folder: Path) -> dict[str, Any]:
    gateway = FakeGateway(SqliteStore(folder / "ledger.sqlite", create=True))
    packs = [FakeDevice().submission(n) for n in range(COUNT)]
    found: dict[str, Any] = {"packs_256": _rate(gateway, packs.__getitem__, COUNT, 256)}
    for batch, count in ((1, 1000), (16, 5000), (256, COUNT)):
        found[f"put_new_{batch}"] = _rate(gateway, _new(batch), count, batch)
        found[f"put_same_{batch}"] = _rate(gateway, lambda _: _put("home/same"), count, batch)
    found["post_256"] = _rate(gateway, _appending("home/log", CONTENT), MAX_PARTS, 256)
    found["get_ms"] = _get_ms(gateway, "home/same")
    found[f"get_of_{MAX_PARTS}_parts_ms"] = _get_ms(gateway, "home/log")
    for size in (1, 500_000):
        gateway.commit(put("home/large", bytes(size), limits=LIMITS))
        append = _appending("home/large", b"1234567890")
        found[f"append_to_{size}_ms"] = round(1000 / _rate(gateway, append, 500, 1), 3)
    gateway.store.close()
    return found


def _new(batch: int) -> Callable[[int], Submission]:
    return lambda n: _put(f"home/{batch}/{n}")


def _appending(path: str, content: bytes) -> Callable[[int], Submission]:
    return lambda _: post(path, content, limits=LIMITS)


def _put(path: str) -> Submission:
    return put(path, CONTENT, limits=LIMITS)


def _rate(gateway: FakeGateway, made: Callable[[int], Submission], count: int, batch: int) -> float:
    submissions = [made(n) for n in range(count)]
    started = time.perf_counter()
    for start in range(0, count, batch):
        gateway.commit(*submissions[start : start + batch])
    return round(count / (time.perf_counter() - started))


def _get_ms(gateway: FakeGateway, path: str) -> float:
    took = []
    for _ in range(READS):
        started = time.perf_counter()
        gateway.store.read(lambda reader: assembled(path, reader.parts.of(path)))
        took.append(time.perf_counter() - started)
    return round(statistics.median(took) * 1000, 3)


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    for name, figure in found.items():
        unit = "ms" if name.endswith("_ms") else "/s"
        print(f"{name}: {figure} {unit} (baseline {held.get(name, '-')})")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        figures.report("resources", resources(Path(folder)), show)
