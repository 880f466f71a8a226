"""The task that reads what has changed and sends it: paced, woken, and done when cancelled."""

import asyncio
import itertools

import pytest

from gateway.coap.notifying import Notifier
from gateway.coap.requests import CONTENT, GET, Response
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
        self.notifier = Notifier(self.endpoint, self._render, now_ms=lambda: 0, random=lambda: 0.0)
        self.task = asyncio.create_task(self.notifier.run())

    def register(self, peer):
        request = observing(GET, "home/a", peer=peer)
        self.notifier.observers.register(request, "home/a", self._watch, 0)

    def change(self, text):
        self.text = text
        self.changed()

    async def settle(self):
        for _ in range(200):
            await asyncio.sleep(0)

    async def _render(self, request):
        self.reads += 1
        return Response(CONTENT, [], self.text)

    def _watch(self, changed):
        self.changed = changed
        return lambda: None


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
