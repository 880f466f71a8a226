"""Figures as ratios to a yardstick measured in the same run: `make bench`.

Machines are noisy: quote the ratios and the medians, not single absolute figures. With
--baseline the result is written to baseline.json; otherwise it is printed beside it.
"""

import contextlib
import hashlib
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from protocol import coap
from protocol.coap import Message
from tests.benchmarks.window import Result, post_all
from tests.integration.harness import Site
from tests.load import LoadDevice
from tools.processes import end, free_port
from tools.targets import ledgers
from tools.verify import verdicts_of

BASELINE = Path(__file__).with_name("baseline.json")
WINDOWS = (1, 16, 64, 256)
REQUESTS = {1: 1500, 16: 8000, 64: 8000, 256: 8000}
ROUNDS = 3
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    figures: dict[str, Any] = {"machine": _machine(), "rounds": ROUNDS}
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        figures["ingest"] = ingest(Path(folder))
        figures["verify"] = verify(Path(folder))
    held = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    _print(figures, held)
    if "--baseline" in sys.argv:
        BASELINE.write_text(json.dumps(held | figures, indent=2) + "\n")


def ingest(folder: Path) -> dict[str, Any]:
    """Durable, verified, chained envelopes a second beside a stock aiocoap that keeps nothing."""
    site = Site(folder)
    device = LoadDevice(site.enrol("load-1"))
    gateway = site.start_gateway()
    echo_port = free_port(socket.SOCK_DGRAM)
    echo = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.stock_echo", str(echo_port)],
        stdout=subprocess.PIPE,
    )
    assert echo.stdout is not None
    echo.stdout.readline()
    figures: dict[str, Any] = {}
    sequence = 0
    try:
        for window in WINDOWS:
            ours, stock = [], []
            for _ in range(ROUNDS):
                count = REQUESTS[window]
                datagrams = [_post(device.seal(sequence + n), n) for n in range(count)]
                sequence += count
                ours.append(_measured(gateway.pid, site.coap_port, datagrams, window))
                stock.append(_measured(echo.pid, echo_port, datagrams, window))
            figures[str(window)] = _compared(ours, stock)
    finally:
        site.stop()
        end(echo)
    return figures


def verify(folder: Path) -> dict[str, Any]:
    """Entries a second of the outside verifier, beside hashing the same bytes and no more."""
    ledger = folder / "gateway" / "ledger.sqlite"
    rates, bare = [], []
    entries = 0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        (verdict,) = verdicts_of(str(folder / "gateway"))
        rates.append(verdict.entries / (time.perf_counter() - started))
        assert verdict.valid, verdict
        entries = verdict.entries
        with contextlib.closing(ledgers(str(ledger), "", "")[0]) as opened:
            rows = [row for n in range(0, opened.size, 256) for row in opened.rows(n, opened.size)]
        started = time.perf_counter()
        for _, _, _, _, leaf, chain, salt, body in rows:
            # what verifying cannot do without: body, leaf, chain and one node an entry
            hashlib.sha256(salt + (body or b"")).digest()
            hashed = hashlib.sha256(b"\x00" + leaf).digest()
            hashlib.sha256(chain + hashed).digest()
            hashlib.sha256(b"\x01" + hashed + hashed).digest()
        bare.append(len(rows) / (time.perf_counter() - started))
    ours, yardstick = statistics.median(rates), statistics.median(bare)
    return {
        "entries": entries,
        "entries_per_s": round(ours),
        "sha256_loop_per_s": round(yardstick),
        "ratio": round(ours / yardstick, 3),
    }


def _post(sealed: bytes, n: int) -> bytes:
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, b"\x11")]
    token = (n + 1).to_bytes(4, "big")
    return coap.encode(Message(coap.CON, coap.POST, n & 0xFFFF, token, options, sealed))


def _measured(pid: int, port: int, datagrams: list[bytes], window: int) -> tuple[Result, float]:
    """The result, and the CPU microseconds that process `pid` spent an answer."""
    before = _cpu_s(pid)
    result = post_all(port, datagrams, window)
    return result, (_cpu_s(pid) - before) / max(result.answered, 1) * 1e6


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _compared(
    ours: list[tuple[Result, float]], stock: list[tuple[Result, float]]
) -> dict[str, Any]:
    rate, echo = (
        statistics.median(result.per_second for result, _ in runs) for runs in (ours, stock)
    )
    return {
        "envelopes_per_s": round(rate),
        "stock_echo_per_s": round(echo),
        "ratio": round(rate / echo, 2),
        "cpu_us": round(statistics.median(cpu for _, cpu in ours)),
        "stock_cpu_us": round(statistics.median(cpu for _, cpu in stock)),
        "lost": sum(result.lost for result, _ in ours),
    }


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}"


def _print(figures: dict[str, Any], held: dict[str, Any]) -> None:
    print(f"{figures['machine']}; median of {figures['rounds']}")
    print("durable verified envelopes/s on loopback, beside a stock aiocoap echo without storage")
    for window, row in figures["ingest"].items():
        before = held.get("ingest", {}).get(window, {}).get("ratio", "-")
        print(
            f"  window {window:>3}: {row['envelopes_per_s']:>6}/s"
            f"  echo {row['stock_echo_per_s']:>6}/s  ratio {row['ratio']} (baseline {before})"
            f"  CPU {row['cpu_us']} µs (echo {row['stock_cpu_us']} µs)  lost {row['lost']}"
        )
    row = figures["verify"]
    print(
        f"verify of {row['entries']} entries: {row['entries_per_s']}/s, bare SHA-256 loop"
        f" {row['sha256_loop_per_s']}/s, ratio {row['ratio']}"
        f" (baseline {held.get('verify', {}).get('ratio', '-')})"
    )


if __name__ == "__main__":
    main()
