"""What a backup costs the gateway beside it: `python -m tests.benchmarks.backups [ENTRIES]`.

A device posts one envelope after another, each answered after its sync. Its times are taken
without a backup, while the ledger is copied and while the copy is checked, in the same run.
"""

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocol import coap
from protocol.coap import Message
from tests.benchmarks.ledgers import build
from tests.load import LoadDevice, acknowledge
from tools.enrolling import enrol
from tools.processes import Service, free_port

ENTRIES, QUIET_S, POLL_S = 300_000, 10, 0.01


class Poster(threading.Thread):
    """`answered` holds (when, ms) of every envelope."""

    def __init__(self, device: LoadDevice, port: int) -> None:
        super().__init__(daemon=True)
        self._device = device
        self._port = port
        self._ending = threading.Event()
        self.answered: list[tuple[float, float]] = []

    def run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.connect(("127.0.0.1", self._port))
            door.settimeout(5)
            sequence = 0
            while not self._ending.is_set():
                datagram = _post(self._device.seal(sequence), sequence)
                started = time.perf_counter()
                door.send(datagram)
                _wait(door, datagram[4:8])
                self.answered.append((started, (time.perf_counter() - started) * 1000))
                sequence += 1

    def end(self) -> None:
        self._ending.set()
        self.join(10)

    def between(self, start: float, stop: float) -> list[float]:
        return sorted(ms for when, ms in self.answered if start <= when < stop)


def main(entries: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-", dir=".") as name:
        folder = Path(name).resolve()
        garden = build(folder / "garden", entries)
        size_mb = garden.ledger.stat().st_size / 1e6
        print(f"{entries} entries, {size_mb:.0f} MB; one envelope in flight, answers in ms")
        with _posting(folder) as poster:
            began = time.perf_counter()
            time.sleep(QUIET_S)
            quiet = time.perf_counter()
            copied, log_mb = _backup(folder)
            done = time.perf_counter()
        _print("without a backup", poster.between(began, quiet), quiet - began)
        _print("while it copies", poster.between(quiet, copied), copied - quiet)
        _print("while it checks the copy", poster.between(copied, done), done - copied)
        print(f"the log beside the ledger grew to {log_mb:.1f} MB")


@contextmanager
def _posting(folder: Path) -> Iterator[Poster]:
    """A gateway and a device that posts to it, for the length of the block."""
    config = enrol(folder / "garden", "load-1", profile="mac")
    port, http = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    arguments = ["--coap", f"127.0.0.1:{port}", "--http", f"127.0.0.1:{http}"]
    gateway = Service(["run", str(folder / "garden"), *arguments], http, folder / "gateway.log")
    poster = Poster(LoadDevice(config), port)
    try:
        poster.start()
        yield poster
        poster.end()
    finally:
        gateway.stop()


def _backup(folder: Path) -> tuple[float, float]:
    """When the copy was whole, and how large the log had become; ends with the check."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools", "backup", str(folder / "garden"), str(folder / "saved")],
        stdout=subprocess.DEVNULL,
    )
    log, largest, copied = folder / "garden" / "ledger.sqlite-wal", 0, 0.0
    while process.poll() is None:
        largest = max(largest, log.stat().st_size)
        if not copied and (folder / "saved.part" / "keys.sqlite").exists():
            copied = time.perf_counter()
        time.sleep(POLL_S)
    assert process.returncode == 0
    return copied, largest / 1e6


def _print(what: str, times: list[float], seconds: float) -> None:
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(
        f"  {what:<26} {len(times) / seconds:>5.0f}/s  p50 {p50:.2f}  p99 {p99:.2f}"
        f"  max {times[-1]:.1f}  in {seconds:.1f} s"
    )


def _wait(door: socket.socket, token: bytes) -> None:
    """Until the 2.04 of `token`; one that comes apart from the ACK is acknowledged."""
    while True:
        answer = coap.decode(door.recv(2048))
        if answer.type == coap.CON:
            acknowledge(door, answer)
        if answer.token == token:
            assert answer.code == coap.CHANGED
            return


def _post(sealed: bytes, n: int) -> bytes:
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, b"\x11")]
    token = (n + 1).to_bytes(4, "big")
    return coap.encode(Message(coap.CON, coap.POST, n & 0xFFFF, token, options, sealed))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
