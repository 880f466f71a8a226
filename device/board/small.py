"""What the small profile needs of a machine, on any port of MicroPython: plain waits."""

import gc
import os
import select
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from device.shapes import Wiring
    from protocol.cbor import Decimal

_COLLECT_EVERY_BYTES = 512
_JOIN_TRIES, _JOIN_POLL_MS = 100, 200


class Board:
    def __init__(self) -> None:
        self.name = sys.platform
        # more often than while it loads: the least heap has no room for holes
        gc.threshold(_COLLECT_EVERY_BYTES)

    def ticks_ms(self) -> int:
        return time.ticks_ms()  # type: ignore[return-value]  # ticks are an opaque type there

    def ticks_diff(self, later: int, earlier: int) -> int:
        return time.ticks_diff(later, earlier)

    def sleep_ms(self, duration_ms: int) -> None:
        time.sleep_ms(duration_ms)  # one loop, which has nothing else to do

    def random_bits(self, bits: int) -> int:
        return int.from_bytes(os.urandom(4), "big") & (1 << bits) - 1

    def temperature(self) -> "int | Decimal":
        raise OSError("no thermometer")

    def wiring(self) -> "Wiring":
        from device.board import wiring

        return wiring

    def sync(self, file: "BinaryIO") -> None:
        file.flush()
        if hasattr(os, "sync"):
            os.sync()

    def heap_bytes(self) -> int:
        gc.collect()
        return gc.mem_alloc()

    def watchdog(self, timeout_ms: int) -> "Callable[[], None] | None":
        """None where there is none, or where it takes no time of ours."""
        try:
            import machine

            feed: Callable[[], None] = machine.WDT(timeout=timeout_ms).feed
        except (ImportError, AttributeError, TypeError):
            return None
        return feed

    def join(self, ssid: str, password: str) -> bool:
        """Whether we are in the Wi-Fi; tries for some seconds where we are not."""
        import network

        wlan = network.WLAN(network.STA_IF)
        if not wlan.isconnected():
            wlan.active(True)
            wlan.connect(ssid, password)
            for _ in range(_JOIN_TRIES):
                if wlan.isconnected():
                    break
                time.sleep_ms(_JOIN_POLL_MS)  # a radio tells nobody when it has joined
        return wlan.isconnected()

    def reset_cause(self) -> str:
        from device.board import cause

        return cause.of()

    def reset(self) -> None:
        import machine

        machine.reset()


class Udp:
    """A connected socket; errors of the network are lost datagrams."""

    def __init__(self, host: str, port: int) -> None:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(found[0], socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(found[-1])
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def send(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except OSError:
            pass

    def receive(self, limit_bytes: int, timeout_ms: int) -> bytes:
        """One datagram, or nothing where none came in time."""
        self._poll.poll(timeout_ms)
        try:
            return self._socket.recv(limit_bytes)
        except OSError:
            return b""

    def close(self) -> None:
        self._socket.close()
