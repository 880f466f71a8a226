"""A device that behaves: a reading every 20 ms, one at a time, and how long each receipt took.

A process of its own, so that nobody's work beside it is in what it measures:
`python -m tests.integration.steady CONFIG.json EPOCH SECONDS` prints the milliseconds as JSON.
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from protocol import coap
from protocol.coap import Message
from tests.load import LoadDevice

_EVERY_S = 0.02
_AGAIN_S = 2.0  # ACK_TIMEOUT: what is lost, or waits as long, costs that
_HOST = "127.7.7.7"  # an address of its own, as a device has


class Latency(NamedTuple):
    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class Steady:
    """It runs until `latency` is asked for, which waits for it to end."""

    def __init__(self, config: dict[str, Any], folder: Path, *, epoch: int, seconds: float) -> None:
        held = folder / f"steady-{epoch}.json"
        held.write_text(json.dumps(config))
        command = [sys.executable, "-m", "tests.integration.steady", held, str(epoch), str(seconds)]
        self._seconds = seconds
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def latency(self) -> Latency:
        out, _ = self._process.communicate(timeout=self._seconds + 60)
        took = sorted(json.loads(out))
        p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
        return Latency(len(took), round(p50, 2), round(p99, 2), round(took[-1], 2))


def main(config: str, epoch: str, seconds: str) -> None:
    settings = json.loads(Path(config).read_text())
    device = LoadDevice(settings, int(epoch))
    host, port = settings["gateway"].rsplit(":", 1)
    took = []
    ends = time.monotonic() + float(seconds)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((_HOST, 0))
        door.connect((host, int(port)))
        door.settimeout(_AGAIN_S)
        sequence = 0
        while time.monotonic() < ends:
            took.append(_kept(door, device, sequence) * 1000)
            sequence += 1
            time.sleep(_EVERY_S)  # as a device that has little to say
    print(json.dumps(took))


def _kept(door: socket.socket, device: LoadDevice, sequence: int) -> float:
    """Seconds until there is a receipt for it."""
    sealed = device.seal(sequence)
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, b"\x11")]
    data = coap.encode(Message(coap.CON, coap.POST, sequence & 0xFFFF, b"s", options, sealed))
    started = time.monotonic()
    while True:
        door.send(data)
        try:
            answer = coap.decode(door.recv(2048))
        except TimeoutError:
            continue
        if answer.message_id == sequence & 0xFFFF and answer.code == coap.CHANGED:
            device.index_of(answer, sealed)
            return time.monotonic() - started


if __name__ == "__main__":
    main(*sys.argv[1:])
