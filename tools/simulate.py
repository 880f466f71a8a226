"""`tallystick simulate`: N devices, each a real process running the files a board runs."""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import ConfigError
from tools.enrolling import enrol
from tools.processes import DEVICE_HEAP, Device, Event, micropython

_FASTEST = 1000.0  # readings a second and device


def simulate(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="the gateway's directory")],
    devices: Annotated[int, typer.Option(min=1, max=200)] = 3,
    rate: Annotated[float, typer.Option(help="readings a second and device")] = 1.0,
    seconds: Annotated[float, typer.Option(help="0 runs until Ctrl-C")] = 10.0,
    gateway: Annotated[str, typer.Option(help="HOST:PORT, if not the configured one")] = "",
    json_: Annotated[bool, typer.Option("--json", help="one line of JSON at the end")] = False,
) -> None:
    """Enrol N devices in DIR (once; DIR/simulated keeps them) and let them send to its gateway.

    Example: tallystick simulate garden --devices 3 --rate 2 --seconds 30
    """
    if not 0 < rate <= _FASTEST:
        raise ConfigError(f"--rate {rate}", f"use more than 0 and at most {_FASTEST:.0f}")
    folders = [
        folder_of(path, f"simulated-{n}", gateway, every_ms=round(1000 / rate))
        for n in range(1, devices + 1)
    ]
    print(interpreter_note(), file=sys.stderr)
    tally = Tally()
    running = [Device(folder, tally.on_event) for folder in folders]
    try:
        _sleep(seconds)
    finally:
        for device in running:
            device.stop()
    shown = {"devices": devices, **tally.counts}
    print(json.dumps(shown) if json_ else "  ".join(f"{k} {v}" for k, v in shown.items()))
    if not tally.counts["kept"]:
        print("no reading was kept: is the gateway running?", file=sys.stderr)
        raise typer.Exit(1)


class Tally:
    """Counts what devices report; called from their threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter(kept=0, readings=0)

    def on_event(self, event: Event) -> None:
        with self._lock:
            self.counts[event["event"]] += 1
            if event["event"] == "kept":
                self.counts["readings"] += event.get("readings", 0)


def folder_of(path: Path, name: str, gateway: str, *, every_ms: int) -> Path:
    """The folder that is the device's flash; made, and the device enrolled, at first use."""
    folder = path / "simulated" / name
    file = folder / "config.json"
    if file.exists():
        config = json.loads(file.read_text())
    else:
        folder.mkdir(parents=True, mode=0o700)
        config = enrol(path, name, gateway)
    config["gateway"] = gateway or config["gateway"]
    config["sensors"] = [{"driver": "simulated", "name": "temperature", "every_ms": every_ms}]
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    return folder


def interpreter_note() -> str:
    if micropython():
        return f"devices run on MicroPython, each with a heap of {DEVICE_HEAP}"
    return "no MicroPython for this machine on PyPI: devices run the same files on CPython"


def _sleep(seconds: float) -> None:
    try:
        time.sleep(seconds) if seconds else threading.Event().wait()
    except KeyboardInterrupt:
        pass
