"""CPython >= 3.11: the same device where no MicroPython is to be had."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

from device.shapes import Event, Report, Tick, Wiring
from protocol.cbor import Decimal, decimal
from protocol.errors import BadMacError
from protocol.oscore_parts import TAG_BYTES

_THERMAL = "/sys/class/thermal/thermal_zone0/temp"
_MACHINE_ID = "/etc/machine-id"
_ERROR_PAUSE_MS = 50
_LONGEST = 65_535


class Board:
    name = "cpython"

    def ticks_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def ticks_diff(self, later: int, earlier: int) -> int:
        return later - earlier

    async def sleep_ms(self, duration_ms: int) -> None:
        await asyncio.sleep(duration_ms / 1000)

    def event(self) -> Event:
        return asyncio.Event()

    async def wait(self, event: Event, timeout_ms: int) -> bool:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await event.wait()  # type: ignore[attr-defined]  # made by `event`
        except TimeoutError:
            return False
        return True

    def open_udp(self, host: str, port: int) -> "Udp":
        return Udp(host, port)

    def random_bits(self, bits: int) -> int:
        return int.from_bytes(os.urandom(4), "big") & (1 << bits) - 1

    def random_bytes(self, size: int) -> bytes:
        return os.urandom(size)

    def unique_id(self) -> bytes:
        with open(_MACHINE_ID) as file:
            return bytes.fromhex(file.read().strip())

    def temperature(self) -> int | Decimal:
        """OSError where the machine has no thermal zone: never a made-up value."""
        with open(_THERMAL) as file:
            return decimal(int(file.read()), -3)

    async def stay_joined(
        self, ssid: str, password: str, tick: Tick, on_up: Callable[[], None], report: Report
    ) -> None:
        """The machine's own network is there, or is not: nothing to join."""

    def wiring(self) -> Wiring:
        raise OSError("no buses and pins")

    def watchdog(self, timeout_ms: int) -> Callable[[], None] | None:
        return None

    def reset_cause(self) -> str:
        return "unknown"

    def heap_bytes(self) -> int:
        return 0

    def has_aes(self) -> bool:
        return True

    def aead(self, key: bytes) -> "Aead":
        return Aead(key)

    def sync(self, file: BinaryIO) -> None:
        file.flush()
        os.fsync(file.fileno())

    def reset(self) -> None:
        sys.exit(1)

    def rest(self) -> "Rest":
        return Rest()


class Rest:
    """Who started this program starts it again."""

    def deep_sleep(self, duration_ms: int) -> None:
        time.sleep(duration_ms / 1000)  # all else has ended
        sys.exit(0)

    def woke_from_sleep(self) -> bool:
        return False

    def retained(self) -> bytes | None:
        return None

    def retain(self, data: bytes) -> None:
        """There is no memory for it."""


class Aead:
    """AES-CCM-16-64-128 by `cryptography`, loaded where it is used."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESCCM

        self._cipher = AESCCM(key, tag_length=TAG_BYTES)

    def seal(self, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        return self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(nonce, ciphertext, aad)
        except (InvalidTag, ValueError):  # ValueError: shorter than a tag
            raise BadMacError("the tag does not fit") from None


class Udp:
    """A connected socket. Any error of the network is a lost datagram, and counted as one."""

    def __init__(self, host: str, port: int) -> None:
        family, _, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0]
        self.lost = 0
        self.limit_bytes = 0
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(address)
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
        loop = asyncio.get_running_loop()
        while True:
            try:
                return (await loop.sock_recv(self._socket, _LONGEST))[: self.limit_bytes]
            except OSError:
                self.lost += 1
                await asyncio.sleep(_ERROR_PAUSE_MS / 1000)

    def close(self) -> None:
        self._socket.close()
