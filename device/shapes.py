"""The shapes that collaborators have, for type checkers only.

No board ever loads this file: modules name it under `if TYPE_CHECKING`. What each method
promises is said here once; `board/` keeps the promises.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, BinaryIO, Protocol

from protocol.cbor import Decimal
from protocol.coap import Message
from protocol.mac import HmacKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocol.oscore_parts import Aead

Tick = Callable[[], None]  # says that a part is alive


class Report(Protocol):
    """Tells whoever listens what happened. No field ever holds a secret."""

    def __call__(self, event: str, **fields: object) -> None: ...


class Event(Protocol):
    """What asyncio.Event is, made and waited for by the board."""

    def set(self) -> None: ...
    def clear(self) -> None: ...
    def is_set(self) -> bool: ...


class Udp(Protocol):
    """A connected UDP socket; one task may receive, and errors of the net are lost datagrams.

    What is longer than `limit_bytes` is cut off there.
    """

    lost: int
    limit_bytes: int

    def send(self, datagram: bytes) -> bool:
        """False where the datagram never left."""

    async def receive(self) -> bytes:
        """Waits for one datagram."""

    def close(self) -> None: ...


class Asker(Protocol):
    """Whoever asks the gateway: an Endpoint, or one under OSCORE.

    A payload over `block_bytes` goes in blocks, of an answer over `answer_bytes` the rest is cut.
    """

    block_bytes: int
    answer_bytes: int

    @property
    def reason(self) -> str:
        """Why the last request had no answer."""

    def exchange(
        self,
        code: int,
        path: str,
        payload: bytes = b"",
        content_format: int | None = None,
        more: Iterable[tuple[int, bytes]] = (),
    ) -> Coroutine[Any, Any, Message | None]:
        """The response; None and a `reason` where there is none."""


class Files(Protocol):
    """What keeping things on flash needs of a board."""

    def sync(self, file: BinaryIO) -> None:
        """Returns once all that was written to `file` survives a power cut."""

    def random_bits(self, bits: int) -> int:
        """At most 30 bits that nobody can guess."""


class Ticking(Protocol):
    def ticks_ms(self) -> int:
        """Wraps around: only `ticks_diff` may look at it."""

    def ticks_diff(self, later: int, earlier: int) -> int: ...


class Board(Files, Ticking, Protocol):
    """All that differs between machines."""

    name: str

    def sleep_ms(self, duration_ms: int) -> Awaitable[None]:
        """To be awaited at once."""

    def event(self) -> Event: ...
    def wait(self, event: Event, timeout_ms: int) -> Awaitable[bool]:
        """Whether `event` was set in time."""

    def open_udp(self, host: str, port: int) -> Udp:
        """Resolves the name, which may block; OSError where it has no address."""

    def random_bytes(self, size: int) -> bytes: ...
    def unique_id(self) -> bytes: ...
    def temperature(self) -> int | Decimal:
        """The chip's own temperature in degrees Celsius; OSError where it has none."""

    async def stay_joined(
        self, ssid: str, password: str, tick: Tick, on_up: Callable[[], None], report: Report
    ) -> None:
        """Joins the Wi-Fi, and again whenever it is lost; never returns on a board.

        Ticks all the while, calls `on_up` whenever the network is there anew, and tells how it
        goes.
        """

    def watchdog(self, timeout_ms: int) -> Callable[[], None] | None:
        """Resets the board unless what it returns is called that often; None where there is none.

        It can never be switched off again.
        """

    def heap_bytes(self) -> int:
        """Bytes in use after a collection; 0 where there is no telling."""

    def wiring(self) -> "Wiring":
        """Buses and pins; OSError where the machine has none."""

    def has_aes(self) -> bool:
        """Whether `aead` works."""

    def aead(self, key: bytes) -> "Aead":
        """AES-CCM-16-64-128 under `key`."""

    def reset(self) -> None: ...
    def reset_cause(self) -> str:
        """What started it: "power-on", "hard", "watchdog", "deep-sleep", "soft" or "unknown"."""

    def rest(self) -> "Rest":
        """Deep sleep, and what outlives it."""


class Slept(Protocol):
    """What one start hands over to the next: `device.waking.State`."""

    epoch: int
    sequence: int
    silent: int
    tail_bytes: int
    time_ms: int
    uptime_ms: int
    link: bytes
    is_placed: bool
    goes_on: bool
    plan: int
    ahead_ms: list[int]


class Rest(Protocol):
    def deep_sleep(self, duration_ms: int) -> None:
        """Switches off for so long, and then starts anew; never returns on a board."""

    def woke_from_sleep(self) -> bool:
        """Whether this start may be the end of a `deep_sleep`; never after the power was cut."""

    def retained(self) -> bytes | None:
        """What `retain` was given last, if the power was there since; None without such memory."""

    def retain(self, data: bytes) -> None:
        """Keeps up to 2048 bytes through `deep_sleep`, where there is memory for it."""


class I2c(Protocol):
    """`machine.I2C`: OSError where nobody answers or the bus is stuck."""

    def writeto(self, __address: int, __data: bytes) -> object: ...
    def readfrom_into(self, __address: int, __into: bytearray) -> object: ...
    def writeto_mem(self, __address: int, __register: int, __data: bytes) -> object: ...
    def readfrom_mem_into(self, __address: int, __register: int, __into: bytearray) -> object: ...


class Analogue(Protocol):
    def read_u16(self) -> int: ...


class OneWire(Protocol):
    def measure(self) -> bytearray:
        """Five bytes whose sum is right; raises anything where there are none."""


class Counting(Protocol):
    """`count` goes up by itself, and after `mask` comes 0."""

    count: int
    mask: int


class Wiring(Protocol):
    """What a board has to connect sensors to; `pause_ms` is for the few ms that one needs."""

    def pause_ms(self, duration_ms: int) -> None: ...
    def i2c(self, bus: int, sda: int, scl: int) -> I2c: ...
    def analogue(self, pin: int) -> Analogue: ...
    def dht22(self, pin: int) -> OneWire: ...
    def pulses(self, pin: int, debounce_ms: int) -> Counting: ...


# key of config.json -> (default, least, most) of a number, the default of a text
Keys = dict[str, "tuple[int | None, int, int] | str"]
Settings = dict[str, Any]  # those keys, checked, with their values
# "band", "alarm_above" or "alarm_below" -> suffix of a quantity, or "*" for all -> number
Limits = dict[str, dict[str, int | Decimal]]
# of each quantity: suffix of its name ("" where there is one only), SenML unit, value
Quantities = tuple[tuple[str, str, int | Decimal], ...]


class Sender(Protocol):
    """Who asks, in this start."""

    kid: bytes
    epoch: int


class Sealer(Protocol):
    """Who seals packs, and under which name."""

    name: str

    def seal(self, sequence: int, payload: bytes) -> bytes:
        """The envelope of a pack; TooLargeError or FaultError where there can be none."""


class Sealing(Sealer, Protocol):
    """Who the device is in this start, in either profile. Holds keys: never printed."""

    profile: str
    kid: bytes
    epoch: int
    down: HmacKey
    link: bytes  # of the envelope sealed last; in the profile `mac` always zeros

    def step(self, is_idle: bool) -> int:
        """Does a little for later, where nothing is to be sent; when the next step is, in ms."""

    def close(self) -> None:
        """For a planned stop."""


class Sensor(Protocol):
    """A driver's instance: whatever it raises, also when it is made, is a read that failed."""

    def read(self) -> Quantities: ...


class Driver(Protocol):
    """A module of `device.sensors`, or of the owner's folder `drivers`."""

    __name__: str
    KEYS: Keys
    QUANTITIES: tuple[str, ...]  # what `read` gives; not there where that is one, or unsaid

    def Sensor(self, board: Board, keys: Settings) -> Sensor: ...  # noqa: N802 (a class)
