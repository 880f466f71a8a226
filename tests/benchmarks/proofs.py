"""Proofs and tiles a second over HTTP: `python -m tests.benchmarks.proofs`.

A gateway process with 70,000 packs, and one client on one connection that asks for random ones.
The yardstick is /healthz in the same run: what a request costs that reads nothing. CPU is the
gateway's own, which other work on the machine changes less.
"""

import os
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx

from protocol.tile import ENTRIES, WIDTH, Tile, format_path
from tests.gateway import ledger_files
from tools.processes import Service, free_port

SIZE = 70_000
REQUESTS, ROUNDS = 400, 3
TEXT, COSE = {"Accept": "text/plain"}, {"Accept": "application/cose"}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        garden = Path(folder) / "garden"
        ledger_files.make(garden, size=SIZE)
        port, coap = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
        addresses = ["--http", f"127.0.0.1:{port}", "--coap", f"127.0.0.1:{coap}"]
        gateway = Service(["run", str(garden), *addresses], port, Path(folder) / "gateway.log")
        try:
            measure(gateway)
        finally:
            gateway.stop()


def measure(gateway: Service) -> None:
    dice = random.Random(1)
    found: dict[str, list[tuple[float, float]]] = {}
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        for _ in range(ROUNDS):
            for name, (paths, headers) in kinds(dice).items():
                found.setdefault(name, []).append(took(client, gateway.pid, paths, headers))
    print(f"{SIZE} entries, {REQUESTS} requests one after the other, median of {ROUNDS}")
    yardstick = statistics.median(seconds for seconds, _ in found["yardstick"])
    for name, runs in found.items():
        seconds, cpu = (statistics.median(column) / REQUESTS for column in zip(*runs, strict=True))
        ratio = yardstick / REQUESTS / seconds
        print(f"  {name:<20} {1 / seconds:>6.0f}/s  ratio {ratio:.2f}  CPU {cpu * 1e6:>5.0f} µs")


def kinds(dice: random.Random) -> dict[str, tuple[Iterator[str], dict[str, str]]]:
    full = SIZE // WIDTH
    return {
        "yardstick": (("/healthz" for _ in range(REQUESTS)), {}),
        "proof, text": (proofs(dice), TEXT),
        "proof, COSE Receipt": (proofs(dice), COSE),
        "consistency": (
            (f"/proof/consistency?from={dice.randrange(SIZE)}" for _ in range(REQUESTS)),
            TEXT,
        ),
        "tile of leaf hashes": (tiles(dice, 0, full), {}),
        "tile of level 1": (tiles(dice, 1, 1), {}),
        "entry bundle": (tiles(dice, ENTRIES, full), {"Accept-Encoding": "identity"}),
        "entry bundle, gzip": (tiles(dice, ENTRIES, full), {"Accept-Encoding": "gzip"}),
    }


def proofs(dice: random.Random) -> Iterator[str]:
    return (f"/events/{dice.randrange(SIZE)}/proof" for _ in range(REQUESTS))


def tiles(dice: random.Random, level: int, count: int) -> Iterator[str]:
    for _ in range(REQUESTS):
        yield "/" + format_path(Tile(level, dice.randrange(count), WIDTH))


def took(
    client: httpx.Client, pid: int, paths: Iterator[str], headers: dict[str, str]
) -> tuple[float, float]:
    """Seconds by the clock, and of the gateway's CPU."""
    cpu, started = cpu_s(pid), time.perf_counter()
    for path in paths:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
    return time.perf_counter() - started, cpu_s(pid) - cpu


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
