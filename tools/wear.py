"""Wear: what a ledger has the kernel write for each reading, tried out with a scratch ledger.

Time is made up and nothing waits; commits, checkpoints and their syncs are the real ones.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gateway import directory as directories
from gateway.config import LedgerConfig
from gateway.directory import Directory
from gateway.ledger.batch import PACK, Number, Submission
from gateway.ledger.log import Draft
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.store.sqlite import SqliteStore
from gateway.surroundings import Surroundings
from protocol import envelope, senml
from protocol.envelope import UP
from protocol.mac import HmacKey
from protocol.senml import Reading

_ORIGIN = "scratch.invalid/wear"
_IO = Path("/proc/self/io")


class Load(NamedTuple):
    """`devices` send a pack of `readings` each second, each at a moment of its own."""

    devices: int
    readings: int

    @property
    def readings_per_s(self) -> int:
        return self.devices * self.readings


def written_bytes() -> int | None:
    """Bytes this process has had written to a disk; None where the kernel does not count."""
    try:
        counters = dict(line.split(": ") for line in _IO.read_text().splitlines())
    except OSError:
        return None
    return int(counters["write_bytes"])


def measure(
    folder: Path,
    config: LedgerConfig,
    load: Load,
    seconds: int,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> float | None:
    """Bytes written per reading in `seconds` of `load`; None where they are not counted.

    `folder` is empty, on the disk in question, and left to the caller to remove. Counted is
    what the page cache takes for a disk: not the file system's own journal, and nothing at all
    for a file system in memory.
    """
    devices = [_device(load, n) for n in range(load.devices)]
    with _ledger(folder, config) as writer:
        before = written_bytes()
        for second in range(seconds):
            for moment_s, batch in _batches(devices, second, config.delay_ms):
                writer.commit(batch, {})
                writer.sign_if_due(moment_s)
            progress(second + 1)
    after = written_bytes()
    if before is None or after is None or after == before:
        return None
    return (after - before) / (seconds * load.readings_per_s)


@contextmanager
def _ledger(folder: Path, config: LedgerConfig) -> Iterator[LedgerWriter]:
    """A ledger with all that a gateway's has, but for the doors."""
    signer = directories.create(folder, _ORIGIN, f'origin = "{_ORIGIN}"\n')
    directory = Directory(folder)
    store = SqliteStore(directory.ledger)
    try:
        yield LedgerWriter(store, signer, Surroundings(directory), config, Metrics())
    finally:
        store.close()


class _Device(NamedTuple):
    name: str
    kid: bytes
    key: HmacKey
    payload: bytes
    moment_s: float  # in each second


def _device(load: Load, n: int) -> _Device:
    name = f"scratch-{n}"
    now_ms = time.time_ns() // 1_000_000
    readings = [
        Reading(f"{name}/temperature", "Cel", 20 + tenth, now_ms + 100 * tenth)
        for tenth in range(load.readings)
    ]
    key = envelope.direction_key(n.to_bytes(32, "big"), UP)
    # the same moments each time: what is compared is the ledger, not the dice
    moment_s = random.Random(n).random()  # noqa: S311
    payload = senml.encode_pack(f"{name}/", readings)
    return _Device(name, envelope.kid_of(name), key, payload, moment_s)


def _batches(
    devices: Sequence[_Device], second: int, delay_ms: int
) -> Iterator[tuple[float, list[Submission]]]:
    """(when, what): a commit takes all that came within `delay_ms` of its first."""
    waiting: list[Submission] = []
    due_s = 0.0
    for device in sorted(devices, key=lambda one: one.moment_s):
        moment_s = second + device.moment_s
        if waiting and moment_s > due_s:
            yield due_s, waiting
            waiting = []
        if not waiting:
            due_s = moment_s + delay_ms / 1000
        waiting.append(_submission(device, second))
    yield due_s, waiting


def _submission(device: _Device, sequence: int) -> Submission:
    body = envelope.seal(
        device.key, UP, device.kid, epoch=1, sequence=sequence, payload=device.payload
    )
    return Submission(Draft(PACK, device.name, body), Number(device.kid, 1, sequence))
