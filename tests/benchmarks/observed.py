"""What readings wait beside observers: `python -m tests.benchmarks.observed`.

A running gateway; 1600 observations of one path, by 100 peers that acknowledge; a writer that
changes it five times a second; and devices that post as before. Beside it the same without the
writer: then nobody is told anything.
"""

import multiprocessing
import select
import socket
import statistics
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from protocol import coap
from protocol.coap import ACK, CON, Message
from tests.benchmarks import figures, servers
from tests.benchmarks.loading import Generator
from tests.benchmarks.servers import DEVICES, Packs, Server
from tests.integration.harness import Site, allow_tokens

PEERS, EACH, EVERY_S = 100, 16, 0.2
WINDOW, SOURCES, SECONDS, ROUNDS, MOST_PER_S = 8, 8, 5, 3, 10_000
_PATH = [(coap.URI_PATH, b"tmp"), (coap.URI_PATH, b"door")]
_OBSERVE, _TOKEN, _PUT = (6, b""), 65001, 3


def measured() -> dict[str, Any]:
    """Medians of ROUNDS, in turn without and with the writer."""
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        site = Site(Path(folder))
        token = allow_tokens(site)["admin"].encode()
        secrets = {name: _secret(site, name) for name in (f"load-{n}" for n in range(DEVICES))}
        packs, generator = Packs(secrets, 1, 1), Generator(Path(folder))
        with servers.gateway(site, packs) as server:
            _put(server.port, token, b"0")
            told = multiprocessing.Value("L", 0)
            ready, over = multiprocessing.Event(), multiprocessing.Event()
            peers = multiprocessing.Process(target=_observe, args=(server.port, told, ready, over))
            peers.start()
            ready.wait(60)
            rows: dict[str, list[dict[str, float]]] = {"quiet": [], "changing": []}
            for _ in range(ROUNDS):
                for name, row in rows.items():
                    before = told.value
                    load = _load(generator, server, token if name == "changing" else b"")
                    row.append(load | {"told": told.value - before})
            over.set()
            peers.join()
    return {
        name: {key: round(statistics.median(one[key] for one in row)) for key in row[0]}
        for name, row in rows.items()
    }


def _load(generator: Generator, server: Server, token: bytes) -> dict[str, float]:
    """With a token somebody writes meanwhile."""
    requests = server.requests(MOST_PER_S * SECONDS)
    over = multiprocessing.Event()
    writer = multiprocessing.Process(target=_write, args=(server.port, token, over))
    writer.start()
    load = generator.run(
        server.port,
        requests,
        window=WINDOW,
        sources=SOURCES,
        seconds=SECONDS,
        codes=server.codes,
        pid=server.pid,
    )
    over.set()
    writer.join()
    time.sleep(1)  # for what is still to be told
    return {name: getattr(load, name) for name in ("per_s", "p50_us", "p99_us", "max_us")}


def _observe(port: int, told: Any, ready: Event, over: Event) -> None:
    """PEERS sockets with EACH observations each; acknowledges every notification."""
    doors = [_connected(port) for _ in range(PEERS)]
    for door in doors:
        for token in range(EACH):
            options = [_OBSERVE, *_PATH]
            door.send(coap.encode(Message(CON, coap.GET, token, bytes([token]), options, b"")))
            assert coap.decode(door.recv(2048)).option(6) is not None
    ready.set()
    while not over.is_set():
        for door in select.select(doors, [], [], 0.1)[0]:
            data = door.recv(2048)
            if data[0] >> 4 & 3 == CON:
                door.send(coap.empty(ACK, data[2] << 8 | data[3]))
                told.value += 1


def _write(port: int, token: bytes, quiet: Event) -> None:
    n = 0
    while not quiet.wait(EVERY_S):
        n += 1
        if token:
            _put(port, token, b"%d" % n)


def _put(port: int, token: bytes, content: bytes) -> None:
    with _connected(port) as door:
        options = [*_PATH, (_TOKEN, token)]
        door.send(coap.encode(Message(CON, _PUT, 1, b"w", options, content)))
        assert coap.decode(door.recv(2048)).code >> 5 == 2


def _connected(port: int) -> socket.socket:
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.settimeout(30)
    door.connect(("127.0.0.1", port))
    return door


def _secret(site: Site, name: str) -> bytes:
    return bytes.fromhex(str(site.enrol(name)["secret"]))


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    for name, row in found.items():
        print(f"{name:<10}", *(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    figures.report("observed", measured(), show)
