"""A UDP relay on loopback that loses, repeats and reorders datagrams, the same ones each time.

`with Relay(upstream, loss=.3, seed=7) as relay: ... relay.port`, or
`python -m tests.relay LISTEN UPSTREAM --loss .3 --duplicate .2 --seed 7` (each HOST:PORT).
Each client gets its own socket to the upstream, so answers find their way back. With `rebind_s`
it gets another every so many seconds, as behind a router that forgets: late answers are lost.
"""

import argparse
import math
import random
import selectors
import socket
import threading
import time
from typing import Self

Address = tuple[str, int]

_BUFFER_BYTES = 65_535
_MAX_CLIENTS = 256
_TICK_SECONDS = 0.2


class Relay:
    """`forwarded`, `lost` and `repeated` count datagrams, both ways together."""

    def __init__(
        self,
        upstream: Address,
        *,
        listen: Address = ("127.0.0.1", 0),
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        rebind_s: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.forwarded = self.lost = self.repeated = self.held = self.rebound = 0
        self._upstream = upstream
        self._loss, self._duplicate, self._reorder = loss, duplicate, reorder
        self._rebind_s, self._rebind_at = rebind_s, time.monotonic() + rebind_s
        self._dice = random.Random(seed)
        self._selector = selectors.DefaultSelector()
        self._front = _bound(listen)
        self._selector.register(self._front, selectors.EVENT_READ)
        self._by_client: dict[Address, socket.socket] = {}
        self._by_socket: dict[socket.socket, Address] = {}
        # A reordered datagram waits here until the next one has gone, or a moment has.
        self._waiting: list[tuple[socket.socket, bytes, Address, float]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, daemon=True)

    @property
    def port(self) -> int:
        port: int = self._front.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)
        for one in [self._front, *self._by_socket]:
            one.close()
        self._selector.close()

    def run(self) -> None:
        """Relays until stopped."""
        while not self._stopping.is_set():
            for key, _ in self._selector.select(_TICK_SECONDS if not self._waiting else 0.02):
                self._receive(key.fileobj)  # type: ignore[arg-type]  # only sockets are registered
            self._release(time.monotonic())
            if self._rebind_s and time.monotonic() >= self._rebind_at:
                self._rebind()

    def _rebind(self) -> None:
        self._rebind_at += self._rebind_s
        self.rebound += 1
        self._release(math.inf)
        for back in self._by_socket:
            self._selector.unregister(back)
            back.close()
        self._by_socket.clear()
        self._by_client.clear()

    def _receive(self, source: socket.socket) -> None:
        try:
            datagram, sender = source.recvfrom(_BUFFER_BYTES)
        except OSError:
            return  # a refusal by an upstream that is down: loss, as on any network
        if source is self._front:
            self._pass(self._towards_upstream(sender), datagram, self._upstream)
        else:
            self._pass(self._front, datagram, self._by_socket[source])

    def _towards_upstream(self, client: Address) -> socket.socket:
        if client not in self._by_client:
            if len(self._by_client) >= _MAX_CLIENTS:
                raise RuntimeError(f"over {_MAX_CLIENTS} clients on one relay")
            back = _bound(("127.0.0.1", 0))
            self._selector.register(back, selectors.EVENT_READ)
            self._by_client[client], self._by_socket[back] = back, client
        return self._by_client[client]

    def _pass(self, out: socket.socket, datagram: bytes, to: Address) -> None:
        if self._dice.random() < self._loss:
            self.lost += 1
            return
        if self._dice.random() < self._reorder:
            self.held += 1
            self._waiting.append((out, datagram, to, time.monotonic() + 0.02))
            return
        self._send(out, datagram, to)
        if self._dice.random() < self._duplicate:
            self.repeated += 1
            self._send(out, datagram, to)

    def _release(self, now: float) -> None:
        due = [one for one in self._waiting if one[3] <= now]
        self._waiting = [one for one in self._waiting if one[3] > now]
        for out, datagram, to, _ in due:
            self._send(out, datagram, to)

    def _send(self, out: socket.socket, datagram: bytes, to: Address) -> None:
        try:
            out.sendto(datagram, to)
            self.forwarded += 1
        except OSError:
            self.lost += 1


def _bound(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(address)
    return made


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.relay")
    parser.add_argument("listen", type=_address, help="HOST:PORT")
    parser.add_argument("upstream", type=_address, help="HOST:PORT")
    for chance in ("--loss", "--duplicate", "--reorder"):
        parser.add_argument(chance, type=float, default=0.0, help="0 to 1, each way")
    parser.add_argument("--rebind-s", type=float, default=0.0, help="new source ports this often")
    parser.add_argument("--seed", type=int, default=0)
    chosen = vars(parser.parse_args())
    with Relay(chosen.pop("upstream"), **chosen) as relay:
        print(f"relaying from port {relay.port}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
