"""Bytes written per reading, in both durabilities: `python -m tests.benchmarks.wear [FOLDER]`.

Rates are tried out with a scratch ledger whose time is made up; saturated is a real gateway
under load. Counted is write_bytes of /proc/PID/io: what the page cache took for the disk. Where
FOLDER is a file system of its own, what its device wrote is shown, too: that has the file
system's journal in it. With --baseline the result goes into baseline.json.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from gateway.config import LedgerConfig
from protocol import coap, envelope, senml
from protocol.coap import Message
from protocol.envelope import UP
from protocol.senml import Reading
from tests.benchmarks.figures import report
from tests.benchmarks.window import post_all
from tests.integration.harness import Site
from tools.wear import Load, measure

DURABILITIES = {
    "strict": LedgerConfig(),
    "balanced": LedgerConfig(durability="balanced"),
    "balanced, 80 ms": LedgerConfig(durability="balanced", commit_delay_ms=80),
    "strict, signed every 10 s": LedgerConfig(checkpoint_every_ms=10_000),
}
# name -> load, seconds: long enough for the database to be written from its log again and again
LOADS = {
    "1 pack of 10 readings a second": (Load(devices=1, readings=10), 3600),
    "10 devices, a pack of 10 a second each": (Load(devices=10, readings=10), 600),
    "10 devices, 1 reading a second each": (Load(devices=10, readings=1), 600),
}
SATURATED, WINDOW, PACKS = "64 packs of 10 in flight", 64, 6000
_SECTOR = 512


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    where = Path(arguments[0]) if arguments else None
    with tempfile.TemporaryDirectory(prefix="tallystick-wear-", dir=where) as folder:
        figures = wear(Path(folder), alone=where is not None and where.is_mount())
    report("wear", figures, _print)


def wear(folder: Path, *, alone: bool) -> dict[str, Any]:
    """load -> durability -> bytes written per reading; `alone`: nobody else uses the device."""
    figures: dict[str, Any] = {}
    for name, (load, seconds) in LOADS.items():
        figures[name] = {}
        for durability, config in DURABILITIES.items():
            place = folder / f"{len(figures)}-{len(figures[name])}"
            before = _device_bytes(folder)
            written = measure(place, config, load, seconds)
            assert written is not None, f"{folder} is not on a disk that counts what is written"
            device = (_device_bytes(folder) - before) / (seconds * load.readings_per_s)
            figures[name][durability] = _row(written, device if alone else None)
    figures[SATURATED] = {
        durability: _row(_saturated(folder / f"saturated-{durability}", durability), None)
        for durability in ("strict", "balanced")
    }
    return figures


def _saturated(folder: Path, durability: str) -> float:
    """Of a gateway process that is sent packs as fast as it answers."""
    folder.mkdir()
    site = Site(folder)
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(f'{config.read_text()}\n[ledger]\ndurability = "{durability}"\n')
    secret = bytes.fromhex(str(site.enrol("load-1")["secret"]))
    datagrams = [_post(secret, n) for n in range(PACKS)]
    gateway = site.start_gateway()
    try:
        before = _written(gateway.pid)
        result = post_all(site.coap_port, datagrams, WINDOW)
        return (_written(gateway.pid) - before) / (10 * result.answered)
    finally:
        site.stop()


def _post(secret: bytes, sequence: int) -> bytes:
    readings = [Reading("load-1/temperature", "Cel", n, 1_790_000_000_000 + n) for n in range(10)]
    sealed = envelope.seal(
        envelope.direction_key(secret, UP),
        UP,
        envelope.kid_of("load-1"),
        epoch=1,
        sequence=sequence,
        payload=senml.encode_pack("load-1/", readings),
    )
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, b"\x11")]
    token = (sequence + 1).to_bytes(4, "big")
    return coap.encode(Message(coap.CON, coap.POST, sequence & 0xFFFF, token, options, sealed))


def _row(written: float, device: float | None) -> dict[str, int]:
    own = {} if device is None else {"device_bytes_per_reading": round(device)}
    return {"bytes_per_reading": round(written)} | own


def _written(pid: int) -> int:
    counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(counters["write_bytes"])


def _device_bytes(folder: Path) -> int:
    device = os.stat(folder).st_dev
    stat = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    return int(stat.read_text().split()[6]) * _SECTOR if stat.exists() else 0


def _print(figures: dict[str, Any], held: dict[str, Any]) -> None:
    print("bytes written per reading")
    for load, durabilities in figures.items():
        print(f"  {load}")
        for durability, row in durabilities.items():
            before = held.get(load, {}).get(durability, {}).get("bytes_per_reading", "-")
            own = row.get("device_bytes_per_reading")
            device = f"  device {own}" if own is not None else ""
            print(f"    {durability:<26} {row['bytes_per_reading']:>6} (baseline {before}){device}")


if __name__ == "__main__":
    main()
