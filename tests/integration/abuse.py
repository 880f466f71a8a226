"""What hostile peers send, for tests/integration/test_abuse.py; and aiocoap as it comes."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from protocol import coap
from protocol.coap import Message
from tools.processes import end

Options = list[tuple[int, bytes]]
_LARGEST_DELTA = 65_804
_OPTIONS_A_DATAGRAM = 200
PUT = 3
OBSERVE, BLOCK1, TOKEN = 6, 27, 65001


class Server(NamedTuple):
    """`log` is what it has printed."""

    pid: int
    port: int
    log: Path


@contextlib.contextmanager
def stock(folder: Path) -> Iterator[Server]:
    log = folder / "stock.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.stock_server"],
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert process.stdout is not None
        with process.stdout as printed:
            yield Server(process.pid, int(printed.readline()), log)
    finally:
        end(process)


def new_option_numbers(count: int) -> Iterator[bytes]:
    """Each with 200 options whose numbers no other has."""
    for n in range(count):
        first = 300 + _OPTIONS_A_DATAGRAM * n
        jumps, rest = divmod(first, _LARGEST_DELTA)
        far = b"\xe0\xff\xff" * jumps
        start = b"\xe0" + (rest - 269).to_bytes(2, "big") if rest >= 269 else b"\xd0\x00"
        head = b"\x50\x02" + (n & 0xFFFF).to_bytes(2, "big") + b"\xb1r"
        yield head + far + start + b"\x10" * _OPTIONS_A_DATAGRAM


def first_blocks(count: int, path: Options) -> Iterator[bytes]:
    """The first of two blocks of 1 kB, each of another upload."""
    for n in range(count):
        options = [*path, (15, b"upload=%d" % n), (BLOCK1, b"\x0e")]
        yield request(coap.NON, coap.POST, n, sorted(options, key=lambda o: o[0]), bytes(1024))


def bad_texts(count: int) -> Iterator[bytes]:
    """Paths that are no UTF-8."""
    for n in range(count):
        yield request(coap.NON, coap.GET, n, [(coap.URI_PATH, b"\xff\xfe%d" % n)])


def request(
    kind: int,
    code: int,
    message_id: int,
    options: Options,
    payload: bytes = b"",
    token: bytes = b"t",
) -> bytes:
    return coap.encode(Message(kind, code, message_id & 0xFFFF, token, options, payload))


class Peer:
    """One client's socket; `close` makes it vanish: what is sent to it comes back as ICMP."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((host, port))

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    def receive(self, timeout_s: float) -> Message | None:
        """The next message; None where none comes, or nobody is there."""
        self._socket.settimeout(timeout_s)
        try:
            return coap.decode(self._socket.recv(65_535))
        except (TimeoutError, ConnectionRefusedError):
            return None

    def received(self, seconds: float) -> list[Message]:
        """All that comes in that time."""
        found = []
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            message = self.receive(left)
            if message is not None:
                found.append(message)
        return found

    def close(self) -> None:
        self._socket.close()
