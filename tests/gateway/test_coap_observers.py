"""Many observers: none holds up another, and there are only so many (RFC 7641)."""

import pytest

from gateway.coap.observe import MAX_PER_PEER
from gateway.coap.requests import Response
from gateway.errors import BusyError
from tests.gateway.observing import Scene, number_of, texts_of


@pytest.fixture
def scene():
    return Scene()


def test_one_peer_has_so_many_observations_and_all_have_so_many_together():
    scene = Scene(most=MAX_PER_PEER + 2)
    numbers = [scene.register(token=bytes([n])) for n in range(MAX_PER_PEER + 1)]
    others = [scene.register(peer=peer) for peer in "bcd"]

    assert numbers[-1] is None
    assert None not in numbers[:-1]
    assert [number is None for number in others] == [False, False, True]
    assert len(scene.observers) == MAX_PER_PEER + 2


def test_a_refused_registration_of_a_full_table_watches_nothing():
    scene = Scene(most=0)

    assert scene.register() is None
    assert scene.changed == {}


def test_numbers_wrap_at_24_bits_on_the_wire():
    scene = Scene(sequence=(1 << 24) - 2)
    registered = scene.register()
    scene.change("1")
    batch = scene.send()

    assert registered == (1 << 24) - 1
    assert number_of(batch[0][1]) == 0


def test_what_is_told_in_secret_is_sealed_for_each_observer(scene):
    scene.register(peer="a", protect=lambda response: Response(0x45, [], b"sealed"))
    scene.register(peer="b")
    scene.change("open")

    assert {p: m.payload for p, m in scene.send()} == {"a": b"sealed", "b": b"open"}


def test_what_cannot_be_sealed_now_is_sealed_when_it_would_be_sent_again(scene):
    seals = iter([BusyError("no numbers"), Response(0x45, [], b"sealed")])

    def protect(response):
        seal = next(seals)
        if isinstance(seal, BusyError):
            raise seal
        return seal

    scene.register(protect=protect)
    scene.change("open")

    assert scene.send() == []
    assert texts_of(scene.send(2000)) == ["sealed"]


def test_a_turn_sends_no_more_than_its_limit_and_the_next_goes_on(scene):
    for n in range(10):
        scene.register(peer=n)
    scene.change("1")

    turns = [len(scene.send(limit=4)) for _ in range(4)]

    assert turns == [4, 4, 2, 0]


def test_every_observer_hears_the_newest_state_in_the_end_whatever_is_lost(scene):
    for n in range(50):
        scene.register(peer=n)
    for n in range(30):
        scene.change(str(n))
        for peer, message in scene.send(500):
            if (peer + n) % 3:
                scene.acknowledge(peer, message)
    heard = {}
    for _ in range(10):
        for peer, message in scene.send(4000):
            heard[peer] = message.payload
            scene.acknowledge(peer, message)
    last = {peer: message.payload for peer, message in scene.sent}

    assert set(last.values()) == {b"29"}
    assert len(scene.observers) == 50
