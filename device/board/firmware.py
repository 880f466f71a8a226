"""What the MicroPython ports share: ticks, asyncio waits, UDP, random numbers, files.

No hardware: each port's own module adds its temperature, its watchdog and its reset.
"""

import asyncio
import gc
import os
import socket
import time
from asyncio import core  # type: ignore[attr-defined]  # the stubs leave it out

from device.board.event import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import BinaryIO

    import network

    from device import shapes
    from device.shapes import Report, Rest, Tick, Wiring
    from protocol.cbor import Decimal
    from protocol.oscore_parts import Aead

_ERROR_PAUSE_MS = 50
_EAGAIN = 11
_COLLECT_EVERY_BYTES = 4096


class Firmware:
    """Everything of a board but its hardware."""

    name = "firmware"
    has_radio = False
    wlan: "network.WLAN | None" = None

    def __init__(self) -> None:
        # Collecting early keeps holes of a useful size in a small heap.
        gc.threshold(_COLLECT_EVERY_BYTES)

    def ticks_ms(self) -> int:
        return time.ticks_ms()  # type: ignore[return-value]  # ticks are an opaque type there

    def ticks_diff(self, later: int, earlier: int) -> int:
        return time.ticks_diff(later, earlier)

    def sleep_ms(self, duration_ms: int) -> "Awaitable[None]":
        return asyncio.sleep_ms(duration_ms)

    def event(self) -> "shapes.Event":
        return Event()

    def wait(self, event: "shapes.Event", timeout_ms: int) -> "Awaitable[bool]":
        waiting: Awaitable[bool] = event.wait_ms(timeout_ms)  # type: ignore[attr-defined]  # ours
        return waiting

    def open_udp(self, host: str, port: int) -> "Udp":
        return Udp(host, port)

    def random_bits(self, bits: int) -> int:
        return int.from_bytes(os.urandom(4), "big") & (1 << bits) - 1

    def random_bytes(self, size: int) -> bytes:
        return os.urandom(size)

    def temperature(self) -> "int | Decimal":
        raise OSError("no thermometer")

    async def stay_joined(
        self,
        ssid: str,
        password: str,
        tick: "Tick",
        on_up: "Callable[[], None]",
        report: "Report",
    ) -> None:
        """Without a radio the machine's own network is there, or is not: nothing to join."""
        if self.has_radio:
            import network

            from device.board import wifi

            self.wlan = network.WLAN(network.STA_IF)
            link = wifi.Link(self, self.wlan, wifi.READY[self.name], tick, report)
            await link.stay(ssid, password, on_up)

    def wiring(self) -> "Wiring":
        try:
            from device.board import wiring
        except ImportError:
            raise OSError("no buses and pins")
        return wiring

    def watchdog(self, timeout_ms: int) -> "Callable[[], None] | None":
        return None

    def reset_cause(self) -> str:
        from device.board import cause

        return cause.of()

    def rest(self) -> "Rest":
        from device.board import rest

        return rest.of(self)

    def heap_bytes(self) -> int:
        gc.collect()
        return gc.mem_alloc()

    def has_aes(self) -> bool:
        try:
            import cryptolib  # noqa: F401  # only whether it is there
        except ImportError:
            return False
        return True

    def aead(self, key: bytes) -> "Aead":
        from cryptolib import aes

        from protocol.ccm import Ccm

        return Ccm(key, aes)

    def sync(self, file: "BinaryIO") -> None:
        file.flush()
        if hasattr(os, "sync"):  # FAT keeps its tables in RAM until told
            os.sync()


class Udp:
    """A connected socket. Any error of the network is a lost datagram, and counted as one.

    A refusal (ICMP) comes back from the next read or write, and full buffers from a write:
    retransmission heals both, and the caller opens a new socket when it does not.
    """

    def __init__(self, host: str, port: int) -> None:
        # The address goes through untouched: its form differs between ports.
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0]
        self.lost = 0
        self.limit_bytes = 0
        self._socket = socket.socket(found[0], socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(found[-1])
        except OSError:
            self._socket.close()
            raise

    def send(self, datagram: bytes) -> bool:
        try:
            return self._socket.send(datagram) == len(datagram)
        except OSError:
            self.lost += 1
            return False

    async def receive(self) -> bytes:
        # not readinto: that one reads on until the buffer is full, datagrams run together
        while True:
            await _Readable(self._socket)  # type: ignore[misc]  # firmware awaits iterators
            try:
                return self._socket.recv(self.limit_bytes)
            except OSError as error:
                if error.errno != _EAGAIN:
                    self.lost += 1
                    await asyncio.sleep_ms(_ERROR_PAUSE_MS)

    def close(self) -> None:
        self._socket.close()


class _Readable:
    """Awaits a socket that has something to read; asyncio itself offers this for streams only."""

    def __init__(self, waited: "socket.socket") -> None:
        self._waited: socket.socket | None = waited

    def __await__(self) -> "_Readable":
        return self

    __iter__ = __await__

    def __next__(self) -> None:
        waited, self._waited = self._waited, None
        if waited is None:
            raise StopIteration
        core._io_queue.queue_read(waited)
