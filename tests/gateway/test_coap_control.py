"""`POST /c` with real messages and no socket."""

import pytest
from aiocoap import Code

from gateway.coap.control import ControlResource
from gateway.coap.requests import ACCEPT, CONTENT_FORMAT, GET, POST, uint
from gateway.control.watching import Watching
from gateway.errors import UnauthorizedError
from gateway.metrics import Metrics
from gateway.registry import Registry
from protocol import asking, cbor, envelope
from protocol.control import Question
from tests.fakes import FakeDevice
from tests.gateway.asking import asked

SHED, STRANGER = FakeDevice("shed"), FakeDevice("stranger")
ASKED = Question(bytes(8), 0, 0, 0, 0, 0)


class FakeDesk:
    def __init__(self):
        self.asked = []
        self.news = {}
        self.watching = Watching()

    async def ask(self, device, question, *, peer, protected):
        assert question == ASKED
        self.asked.append((device.name, protected))
        return b"the answer"


class Door:
    def __init__(self):
        self.desk, self.now_ms = FakeDesk(), 0
        self.members = [SHED.known()]
        self.registry = Registry()
        self.resource = ControlResource(
            self.registry, self.desk, Metrics(), keep_up=self._keep_up, now_ms=lambda: self.now_ms
        )

    async def _keep_up(self):
        self.registry.replace(self.members)

    async def post(self, payload, content_format=17, accept=None, **who):
        options = [(CONTENT_FORMAT, uint(content_format))]
        if accept is not None:
            options.append((ACCEPT, uint(accept)))
        request = asked(POST, "c", options=options, payload=payload)
        return await self.resource.post(request._replace(**who))


def question(device=SHED, sealing=None):
    key = envelope.direction_key((sealing or device).secret, "down")
    return asking.seal_question(key, device.kid, ASKED.nonce, ASKED[1:])


def under_oscore(response):
    return response


async def test_a_known_device_hears_what_the_desk_says():
    door = Door()

    response = await door.post(question())

    assert (Code(response.code), response.payload) == (Code.CHANGED, b"the answer")
    assert response.number(CONTENT_FORMAT) == 17
    assert door.desk.asked == [("shed", False)]


async def test_under_oscore_the_desk_knows_and_nobody_asks_for_another():
    door = Door()

    await door.post(question(), who="shed", protect=under_oscore)
    refused = await door.post(question(), who="cellar", protect=under_oscore)

    assert door.desk.asked == [("shed", True)]
    assert Code(refused.code) == Code.FORBIDDEN


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (question(STRANGER), Code.UNAUTHORIZED),
        (b"", Code.BAD_REQUEST),
        (question()[:-1], Code.BAD_REQUEST),
        (SHED.seal(0), Code.BAD_REQUEST),
        (bytes(1025), Code.REQUEST_ENTITY_TOO_LARGE),
        (question(SHED, STRANGER), Code.UNAUTHORIZED),
    ],
    ids=["a stranger", "nothing", "cut", "an envelope", "too large", "under another's kid"],
)
async def test_what_is_refused_has_a_code_and_no_words(payload, code):
    door = Door()

    response = await door.post(payload)

    assert (Code(response.code), response.payload) == (code, b"")
    assert door.desk.asked == []


async def test_a_revoked_device_is_told_nothing():
    door = Door()
    door.members = [SHED.known(revoked=True)]

    response = await door.post(question())

    assert Code(response.code) == Code.FORBIDDEN
    assert door.desk.asked == []


async def test_other_formats_are_refused():
    door = Door()

    sent = await door.post(question(), content_format=60)
    wanted = await door.post(question(), accept=60)

    assert Code(sent.code) == Code.UNSUPPORTED_CONTENT_FORMAT
    assert Code(wanted.code) == Code.NOT_ACCEPTABLE


async def test_one_device_has_its_share_of_questions_and_no_more():
    door = Door()

    forged = question(SHED, STRANGER)
    await door.post(forged)

    codes = [Code((await door.post(question())).code) for _ in range(18)]
    door.now_ms = 1000
    later = Code((await door.post(question())).code)

    assert codes == [Code.CHANGED] * 16 + [Code.TOO_MANY_REQUESTS] * 2
    assert later == Code.CHANGED


async def test_what_is_new_is_shown_to_the_device_under_oscore_only():
    door = Door()
    door.desk.news = {"shed": b"\x03\x07\x04\x02"}
    request = asked(GET, "c")

    shown = await door.resource.get(request._replace(who="shed", protect=under_oscore))
    nothing = await door.resource.get(request._replace(who="barn", protect=under_oscore))

    assert shown.payload == cbor.encode({3: 7, 4: 2})
    assert nothing.payload == cbor.encode({3: 0, 4: 0})
    for other in ({}, {"who": "shed"}, {"who": "ada", "scope": "admin", "protect": under_oscore}):
        with pytest.raises(UnauthorizedError):
            await door.resource.get(request._replace(**other))


def test_who_observes_is_called_for_its_own_news():
    door, calls = Door(), []
    end = door.resource.watch(asked(GET, "c")._replace(who="shed"), lambda: calls.append(1))

    door.desk.watching.tell({}, {"shed": b"news", "barn": b"news"})
    door.desk.watching.tell({"shed": b"news"}, {"shed": b"news", "barn": b"other"})
    end()
    door.desk.watching.tell({}, {"shed": b"news"})

    assert calls == [1]
