"""The task that reads what has changed and sends it: paced, woken, and done when cancelled."""

import asyncio
import itertools

import pytest

from gateway.coap.mishaps import Mishaps
from gateway.coap.notifying import Notifier
from gateway.coap.requests import CONTENT, GET, SERVER_ERROR, Response
from gateway.metrics import Metrics
from protocol import coap
from tests.gateway.asking import observing


class FakeEndpoint:
    def __init__(self):
        self.sent = []
        self.message_id = 0

    def next_message_id(self):
        self.message_id += 1
        return self.message_id

    def send(self, data, peer):
        self.sent.append((coap.decode(data), peer))


class Scene:
    """A notifier over one text, with its task."""

    def __init__(self):
        self.endpoint = FakeEndpoint()
        self.text = b"0"
        self.reads = 0
        self.now_ms = 0
        self.broken = None
        self.changed = {}
        self.metrics = Metrics()
        self.notifier = Notifier(
            self.endpoint,
            self._render,
            Mishaps(self.metrics),
            now_ms=lambda: self.now_ms,
            random=lambda: 0.0,
        )
        self.task = asyncio.create_task(self.notifier.run())

    def register(self, peer, path="home/a", protect=None):
        request = observing(GET, path, peer=peer)._replace(protect=protect)

        def watch(changed):
            self.changed[path] = changed
            return lambda: None

        self.notifier.observers.register(request, path, watch, 0)

    def change(self, text, path="home/a"):
        self.text = text
        self.changed[path]()

    @property
    def mishaps(self):
        labels = {"where": "notifications"}
        return self.metrics.registry.get_sample_value("tallystick_mishaps_total", labels)

    async def settle(self):
        for _ in range(200):
            await asyncio.sleep(0)

    async def _render(self, request):
        self.reads += 1
        if self.broken == "/".join(request.path):
            raise RuntimeError("a bug")
        return Response(CONTENT, [], self.text)


@pytest.fixture
async def scene():
    scene = Scene()
    yield scene
    scene.task.cancel()
    await asyncio.wait([scene.task])


async def test_a_change_wakes_it_and_is_read_once_for_all(scene):
    for peer in range(100):
        scene.register(peer)
    await scene.settle()
    scene.change(b"1")
    await scene.settle()

    assert scene.reads == 1
    assert sorted(peer for _, peer in scene.endpoint.sent) == list(range(100))
    assert {message.payload for message, _ in scene.endpoint.sent} == {b"1"}


async def test_others_have_their_turn_between_a_few_datagrams(scene):
    for peer in range(100):
        scene.register(peer)
    await scene.settle()
    scene.change(b"1")
    seen = []
    for _ in range(20):
        await asyncio.sleep(0)
        seen.append(len(scene.endpoint.sent))

    assert max(after - before for before, after in itertools.pairwise(seen)) <= 32
    assert seen[-1] == 100


async def test_an_acknowledgement_wakes_it_for_what_came_meanwhile(scene):
    scene.register("a")
    await scene.settle()
    for text in (b"1", b"2"):
        scene.change(text)
        await scene.settle()

    scene.notifier.observers.acknowledged("a", 1)
    await scene.settle()

    assert [message.payload for message, _ in scene.endpoint.sent] == [b"1", b"2"]


# --- what nobody foresaw ----------------------------------------------------------------------


def told(scene):
    return {peer: (message.code, message.payload) for message, peer in scene.endpoint.sent}


async def test_what_cannot_be_read_ends_for_its_observers_and_for_nobody_else(scene):
    scene.register("a", "home/a")
    scene.register("b", "home/b")
    scene.broken = "home/a"

    scene.change(b"1", "home/a")
    scene.change(b"1", "home/b")
    await scene.settle()

    assert told(scene) == {"a": (SERVER_ERROR, b""), "b": (CONTENT, b"1")}
    assert scene.mishaps == 1


async def test_an_observer_for_whom_nothing_can_be_written_ends_alone(scene):
    def fails(response):
        raise RuntimeError("a bug")

    scene.register("a", protect=fails)
    scene.register("b")
    for text in (b"1", b"2"):
        scene.change(text)
        await scene.settle()
        scene.notifier.observers.acknowledged("b", scene.endpoint.message_id)
    await scene.settle()

    assert [peer for _, peer in scene.endpoint.sent] == ["b", "b"]
    assert len(scene.notifier.observers) == 1
    assert scene.mishaps == 1


async def test_a_turn_that_fails_is_followed_by_others():
    scene = Scene()
    scene.register("a")
    scene.endpoint.send = failing_once(scene.endpoint.send)

    for text in (b"1", b"2"):
        scene.change(text)
        await scene.settle()
    async with asyncio.timeout(5):
        while not scene.endpoint.sent:
            scene.now_ms += 1000  # what was not sent is sent again
            await asyncio.sleep(0.01)
    scene.task.cancel()

    assert told(scene) == {"a": (CONTENT, b"2")}
    assert scene.mishaps == 1


def failing_once(send):
    failures = iter([RuntimeError("a bug")])

    def sending(data, peer):
        for error in failures:
            raise error
        send(data, peer)

    return sending
