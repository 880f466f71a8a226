import pytest

from gateway.coap.notification import View
from gateway.coap.own_numbers import OwnNumbers
from gateway.coap.protecting import Protecting
from gateway.coap.requests import (
    BAD_OPTION,
    BAD_REQUEST,
    CHANGED,
    CONTENT,
    NO_RESPONSE,
    OBSERVE,
    OSCORE,
    POST,
    Request,
    Response,
)
from gateway.errors import BusyError, StoreFailedError
from gateway.metrics import Metrics
from protocol import coap
from protocol.oscore_parts import Plain, Sealed
from tests.gateway.asking import PEER, asked
from tests.gateway.protected import (
    BUSY,
    GET,
    NEWS,
    OBSERVATION,
    UNAUTHORIZED,
    FakeOscoreDevice,
    door_for,
    granted,
)

FOUND = Response(CONTENT, [(12, b"")], b"21.5")


class Behind:
    """The handler behind the door, which remembers what it was asked."""

    def __init__(self, *, numbers: OwnNumbers | None = None) -> None:
        self.device = FakeOscoreDevice()
        self.door = door_for(self.device, numbers=numbers)
        self.asked: list[Request] = []
        self.kept_up = 0
        self.metrics = Metrics()
        self.response = FOUND
        self.protecting = Protecting(
            self.door, self.answer, self.metrics, keep_up=self.keep_up, now_ms=lambda: 0
        )

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        return self.response

    async def keep_up(self) -> None:
        self.kept_up += 1
        raise StoreFailedError("keys.sqlite is locked")

    async def ask(self, plain: Plain, *more: tuple[int, bytes]):
        """The response, and what opens it. `more` are outer options."""
        sealed, found = self.device.sealed(plain)
        response = await self.protecting.answer(outer_of(sealed, *more))
        return response, found

    def opened(self, response: Response, found):
        sealed = Sealed(response.code, list(response.options), response.payload)
        return self.device.opened(found, sealed)

    def counted(self, reason: str) -> float:
        return self.metrics.outcomes.labels("coap", reason)._value.get()


def outer_of(sealed: Sealed, *more: tuple[int, bytes]) -> Request:
    request = asked(sealed.code, "x", options=[*sealed.options, *more], payload=sealed.payload)
    options = [option for option in request.options if option[0] != 11]
    return request._replace(path=(), options=options)


@pytest.fixture
def behind():
    behind = Behind()
    behind.device.introduce(behind.door)
    return behind


async def test_what_is_not_protected_goes_through_untouched(behind):
    request = asked(POST, "home/door", payload=b"open")

    assert await behind.protecting.answer(request) is FOUND
    assert behind.asked == [request]


async def test_a_protected_request_is_asked_in_its_devices_name_and_its_answer_sealed(behind):
    response, found = await behind.ask(GET, (3, b"host"))

    (request,) = behind.asked
    assert (request.code, request.path, request.who) == (coap.GET, ("home", "door"), "shed")
    assert request.options == [(3, b"host"), (11, b"home"), (11, b"door")]
    assert (request.peer, request.token) == (PEER, b"\x01")
    assert (response.code, response.options) == (CHANGED, [(OSCORE, b"")])
    assert behind.opened(response, found) == (Plain(*FOUND), None)
    assert behind.kept_up == 1


async def test_queries_are_those_that_were_inside(behind):
    await behind.ask(Plain(coap.GET, [(11, b"x"), (15, b"a=1"), (15, b"b")], b""), (15, b"c"))

    assert behind.asked[0].queries == ("a=1", "b")


async def test_a_notification_is_sealed_under_a_number_of_our_own(behind):
    behind.response = Response(*NEWS)
    response, found = await behind.ask(OBSERVATION)

    later = [behind.asked[0].protect(behind.response) for _ in range(2)]

    opened = [behind.opened(one, found) for one in (response, *later)]
    assert [number for _, number in opened] == [1, 2, 3]
    assert {one.code for one in (response, *later)} == {CONTENT}
    assert (OBSERVE, b"\x07") in response.options


async def test_what_was_inside_decides_whether_an_answer_is_wanted(behind):
    silent = Plain(coap.POST, [(11, b"x"), (NO_RESPONSE, b"\x02")], b"")

    response, _ = await behind.ask(silent, (NO_RESPONSE, b"\x08"))
    behind.response = Response(0x84)
    missing, found = await behind.ask(silent, (NO_RESPONSE, b"\x02"))

    assert response.first(NO_RESPONSE) == b"\x02"  # of the class that is outside, 2.04
    assert missing.first(NO_RESPONSE) is None
    assert behind.opened(missing, found)[0].code == 0x84


async def test_what_the_door_refuses_nobody_is_asked_and_counted(behind):
    sealed, _ = behind.device.sealed(GET)
    again = [await behind.protecting.answer(outer_of(sealed)) for _ in range(2)][1]
    twice = await behind.protecting.answer(outer_of(sealed, *sealed.options))

    assert (again, twice) == (Response(UNAUTHORIZED, [], b""), Response(BAD_OPTION, [], b""))
    assert len(behind.asked) == 1
    assert (behind.counted("replayed"), behind.counted("bad-option")) == (1, 1)


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        (Plain(coap.GET, [(OSCORE, b""), (11, b"x")], b""), BAD_REQUEST),
        (Plain(coap.GET, [(11, b"\xff")], b""), BAD_OPTION),
        (Plain(coap.GET, [(15, b"\xff")], b""), BAD_OPTION),
    ],
)
async def test_what_is_wrong_inside_is_told_inside(behind, plain, code):
    response, found = await behind.ask(plain)

    assert behind.opened(response, found)[0] == Plain(code, [], b"")
    assert behind.asked == []


async def test_without_numbers_of_our_own_a_notification_is_a_5_03():
    behind = Behind(numbers=granted(1))
    behind.device.introduce(behind.door)
    behind.response = Response(*NEWS)

    response, _ = await behind.ask(OBSERVATION)

    assert response == Response(BUSY, [], b"")
    assert behind.counted("busy") == 1


def test_a_notification_that_cannot_be_sealed_is_as_if_it_were_lost():
    def protect(response: Response) -> Response:
        raise BusyError("no number")

    request = asked(coap.GET, "home")._replace(protect=protect)
    view = View(request, "home", 0)
    view.show(FOUND)

    assert view.notification(request, 7) == b""
    assert view.notification(request._replace(protect=None), 7) != b""
