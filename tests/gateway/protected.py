"""A device that speaks OSCORE to a door, without a network between them."""

from collections.abc import Hashable

from gateway.coap.ccm import Ccm
from gateway.coap.contexts import Contexts
from gateway.coap.oscore import OscoreDoor, Outside, Refused, Unsealed
from gateway.coap.own_numbers import OwnNumbers
from gateway.registry import Registry
from protocol import coap, pairing
from protocol.oscore_client import Client
from protocol.oscore_parts import OBSERVE, OSCORE, Asked, Plain, Sealed
from tests.fakes import FakeDevice

ECHO = 252
GET = Plain(coap.GET, [(11, b"home"), (11, b"door")], b"")
POST = Plain(coap.POST, [(11, b"r"), (12, b"\x11")], b"an envelope")

OBSERVATION = Plain(coap.GET, [(OBSERVE, b""), (11, b"home")], b"")
FOUND = Plain(coap.CONTENT, [(12, b"")], b"21.5")
NEWS = Plain(coap.CONTENT, [(OBSERVE, b"\x07"), (12, b"")], b"21.5")
BAD_REQUEST, UNAUTHORIZED, BAD_OPTION, BUSY = 0x80, 0x81, 0x82, 0xA3


class FakeEchoes:
    """A value a device, good for ten seconds, and for this door only."""

    def __init__(self, start: int = 0) -> None:
        self.start = start

    def value(self, whose: Hashable, now_ms: int) -> bytes:
        return f"{self.start} {whose!r} {now_ms // 10_000}".encode()

    def is_fresh(self, whose: Hashable, value: bytes, now_ms: int) -> bool:
        return value == self.value(whose, now_ms)


class FakeOscoreDevice(FakeDevice):
    """`number` is the one its next request gets."""

    def __init__(self, name: str = "shed") -> None:
        super().__init__(name)
        keys = pairing.device_keys(pairing.master_secret(self.secret), self.kid)
        self._client = Client(keys, Ccm)
        self.number = 0

    def sealed(self, plain: Plain) -> tuple[Sealed, Asked]:
        self.number += 1
        return self._client.protect(self.number - 1, plain)

    def request(self, plain: Plain) -> tuple[Outside, Asked]:
        sealed, asked = self.sealed(plain)
        return outside(sealed), asked

    def opened(self, asked: Asked, sealed: Sealed) -> tuple[Plain, int | None]:
        return self._client.unprotect(asked, sealed.options, sealed.payload)

    def echo(self, asked: Asked, refused: Refused) -> bytes:
        """The Echo of a challenge."""
        plain, own_number = self.opened(asked, refused.sealed)
        assert (plain.code, own_number is None) == (0x81, False)
        return dict(plain.options)[ECHO]

    def introduce(self, door: OscoreDoor, now_ms: int = 0) -> None:
        """Asks, is challenged, and asks again: now the door knows its window."""
        request, asked = self.request(GET)
        refused = door.open(request, now_ms)
        again = with_echo(GET, self.echo(asked, refused))
        assert isinstance(door.open(self.request(again)[0], now_ms), Unsealed)


def outside(sealed: Sealed) -> Outside:
    return Outside(sealed.code, dict(sealed.options)[OSCORE], sealed.payload)


def with_echo(plain: Plain, echo: bytes) -> Plain:
    return Plain(plain.code, [*plain.options, (ECHO, echo)], plain.payload)


def granted(stop: int = 1 << 20) -> OwnNumbers:
    numbers = OwnNumbers()
    numbers.grant(0, stop)
    return numbers


def door_for(*devices: FakeDevice, numbers: OwnNumbers | None = None, start: int = 0) -> OscoreDoor:
    registry = Registry(device.known() for device in devices)
    return OscoreDoor(Contexts(registry), numbers or granted(), FakeEchoes(start))


def known(**more: OwnNumbers) -> tuple[OscoreDoor, FakeOscoreDevice]:
    """A door, and a device whose window it knows."""
    device = FakeOscoreDevice()
    door = door_for(device, **more)
    device.introduce(door)
    return door, device


def refused(door: OscoreDoor, request: Outside, now_ms: int = 0) -> tuple[str, int]:
    """(reason, code) of a refusal that nobody had to seal."""
    found = door.open(request, now_ms)
    assert isinstance(found, Refused)
    assert found.sealed == Sealed(found.sealed.code, [], b"")
    return found.reason, found.sealed.code


def again(plain: Plain, answer: Plain) -> Plain | None:
    """The request to send where `answer` asks for its Echo (RFC 9175 §2.3), else None."""
    echo = dict(answer.options).get(ECHO)
    if answer.code != UNAUTHORIZED or echo is None:
        return None
    options = [option for option in plain.options if option[0] != ECHO]
    at = sum(1 for number, _ in options if number < ECHO)
    return Plain(plain.code, [*options[:at], (ECHO, echo), *options[at:]], plain.payload)
