"""The shapes that collaborators have, for type checkers only.

No board ever loads this file: modules name it under `if TYPE_CHECKING`. What each method
promises is said here once; `board/` keeps the promises.
"""

from collections.abc import Awaitable
from typing import BinaryIO, Protocol

from protocol.cbor import Decimal


class Report(Protocol):
    """Tells whoever listens what happened. No field ever holds a secret."""

    def __call__(self, event: str, **fields: object) -> None: ...


class Event(Protocol):
    """What asyncio.Event is on both interpreters."""

    def set(self) -> None: ...
    def clear(self) -> None: ...
    def is_set(self) -> bool: ...
    def wait(self) -> Awaitable[object]: ...


class Udp(Protocol):
    """A connected UDP socket; one task may receive, and errors of the net are lost datagrams."""

    lost: int

    def send(self, datagram: bytes) -> bool:
        """False where the datagram never left."""

    async def receive(self, limit_bytes: int) -> bytes:
        """Waits for one datagram; cuts off what is over the limit."""

    def close(self) -> None: ...


class Files(Protocol):
    """What keeping things on flash needs of a board."""

    def sync(self, file: BinaryIO) -> None:
        """Returns once all that was written to `file` survives a power cut."""

    def random_bits(self, bits: int) -> int:
        """At most 30 bits that nobody can guess."""


class Board(Files, Protocol):
    """All that differs between machines."""

    name: str

    def ticks_ms(self) -> int:
        """Wraps around: only `ticks_diff` may look at it."""

    def ticks_diff(self, later: int, earlier: int) -> int: ...
    async def sleep_ms(self, duration_ms: int) -> None: ...
    async def wait(self, event: Event, timeout_ms: int) -> bool:
        """Whether `event` was set in time."""

    def open_udp(self, host: str, port: int) -> Udp:
        """Resolves the name, which may block; OSError where it has no address."""

    def random_bytes(self, size: int) -> bytes: ...
    def unique_id(self) -> bytes: ...
    def temperature(self) -> int | Decimal:
        """The chip's own temperature in degrees Celsius; OSError where it has none."""

    async def stay_joined(self, ssid: str, password: str) -> None:
        """Joins the Wi-Fi, and again whenever it is lost; never returns on a board."""

    def heap_bytes(self) -> int:
        """Bytes in use after a collection; 0 where there is no telling."""

    def reset(self) -> None: ...


class Sensor(Protocol):
    """A driver's instance. `read` may raise anything: the sampler counts it."""

    unit: str

    def read(self) -> int | Decimal: ...
