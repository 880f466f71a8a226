"""What the load generator is pointed at: our gateway, stock aiocoap, AuditeDB from PyPI.

Each is a real process on loopback with a door for CoAP. The same generator drives all three.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from protocol import coap, envelope, senml
from protocol.coap import Message
from protocol.envelope import UP
from protocol.senml import Reading
from tests.integration.harness import Site
from tests.load import signing
from tools.processes import end, free_port, launched

DEVICES = 64
RIVALS = Path(".venv-compare/bin/python")
PUT, CREATED = 3, 0x41
_TOKEN_OPTION = 65001
_UP_S = 10
_VARIANTS = 4


class Server(NamedTuple):
    """`requests(count)` are new ones each time; `codes` are what counts as kept or echoed.

    `most_per_s` is more than it answers: how many requests are made before a run.
    """

    pid: int
    port: int
    codes: tuple[int, ...]
    most_per_s: int
    requests: Callable[[int], list[bytes]]


class Packs:
    """Sealed packs of `readings`, of DEVICES devices in turn; no number twice."""

    def __init__(self, secrets: dict[str, bytes], readings: int, epoch: int) -> None:
        self._devices = [
            (envelope.kid_of(name), envelope.direction_key(secret, UP), _payloads(name, readings))
            for name, secret in secrets.items()
        ]
        self.epoch = epoch
        self._sealed = 0

    def next(self) -> bytes:
        turn, n = divmod(self._sealed, len(self._devices))
        kid, key, payloads = self._devices[n]
        self._sealed += 1
        payload = payloads[turn % _VARIANTS]
        return envelope.seal(key, UP, kid, epoch=self.epoch, sequence=turn, payload=payload)


def _payloads(name: str, readings: int) -> list[bytes]:
    now_ms = int(time.time() * 1000)
    return [
        senml.encode_pack(
            f"{name}/",
            [
                Reading(f"{name}/temperature", "Cel", 20 + variant, now_ms - 1000 * n)
                for n in range(readings)
            ],
        )
        for variant in range(_VARIANTS)
    ]


@contextlib.contextmanager
def gateway(site: Site, packs: "Packs | SignedPacks") -> Iterator[Server]:
    """Durable and verified: `tallystick run` as it is, a pack an envelope."""
    site.launch = launched  # by the interpreter itself, as a user's is
    service = site.start_gateway()
    try:
        yield Server(service.pid, site.coap_port, (coap.CHANGED,), 40_000, posts(packs))
    finally:
        site.stop()


@contextlib.contextmanager
def stock(packs: Packs) -> Iterator[Server]:
    """aiocoap as it comes, which keeps nothing."""
    port = free_port(socket.SOCK_DGRAM)
    command = [sys.executable, "-m", "tests.benchmarks.stock_echo", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield Server(process.pid, port, (coap.CHANGED,), 8_000, posts(packs))
    finally:
        end(process)


@contextlib.contextmanager
def auditedb(folder: Path, packs: Packs, *, paths: int | None) -> Iterator[Server]:
    """Its durable path, PUT under `home`: a new path each, or `paths` of them in turn.

    Only with a new path each does it keep every reading, as we do: a PUT replaces the body.
    """
    binary = _binary()
    coap_port, http_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    settings = {
        "ELASTIK_KEY": "a key of thirty-two bytes or more",
        "ELASTIK_WRITE_TOKEN": "writer",
        "ELASTIK_PORT": str(http_port),
        "ELASTIK_COAP_PORT": str(coap_port),
        "ELASTIK_DATA": str(folder),
    }
    with (folder.parent / "auditedb.log").open("ab") as log:
        process = subprocess.Popen([binary], env=os.environ | settings, stdout=log, stderr=log)
    try:
        _wait_for(http_port)
        codes = (CREATED, coap.CHANGED)
        yield Server(process.pid, coap_port, codes, 1_500, _puts(_names(paths), packs))
    finally:
        end(process)


class SignedPacks:
    """As Packs, of devices that sign: of each, the configuration that `device add` gave it."""

    def __init__(self, configs: list[dict[str, Any]], epoch: int) -> None:
        self._devices = [signing(config) for config in configs]
        self.epoch = epoch
        self._sealed = 0

    def next(self) -> bytes:
        turn, n = divmod(self._sealed, len(self._devices))
        self._sealed += 1
        return self._devices[n].sign(turn, epoch=self.epoch, value=20 + turn % _VARIANTS)


def posts(packs: Packs | SignedPacks) -> Callable[[int], list[bytes]]:
    content_format = b"\x12" if isinstance(packs, SignedPacks) else b"\x11"
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, content_format)]
    return lambda count: [_request(coap.POST, options, packs.next()) for _ in range(count)]


def _puts(names: Iterator[str], packs: Packs) -> Callable[[int], list[bytes]]:
    return lambda count: [_put(next(names), packs.next()) for _ in range(count)]


def _put(name: str, body: bytes) -> bytes:
    options = [
        (coap.URI_PATH, b"home"),
        (coap.URI_PATH, name.encode()),
        (coap.CONTENT_FORMAT, b"\x2a"),
        (_TOKEN_OPTION, b"writer"),
    ]
    return _request(PUT, options, body)


def _request(code: int, options: list[tuple[int, bytes]], payload: bytes) -> bytes:
    """The generator sets message id and token."""
    return coap.encode(Message(coap.CON, code, 0, bytes(4), options, payload))


def _names(paths: int | None) -> Iterator[str]:
    n = 0
    while True:
        yield f"r{n if paths is None else n % paths}"
        n += 1


def _binary() -> str:
    asked = [str(RIVALS), "-c", "import elastik; print(elastik.binary_info()['path'])"]
    return subprocess.run(asked, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"AuditeDB did not start within {_UP_S} s")
