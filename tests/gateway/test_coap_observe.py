"""What observers are owed: the newest state, one CON at a time, until they are gone (RFC 7641)."""

import pytest

from gateway.coap.observe import REFRESH_MS
from gateway.coap.requests import OBSERVE, Response
from protocol.coap import CON, CONTENT, MAX_AGE
from tests.gateway.observing import Scene, number_of, texts_of

TRANSMISSIONS_MS = [2000, 4000, 8000, 16000]  # RFC 7252 §4.2, without the random part


@pytest.fixture
def scene():
    return Scene()


def test_a_change_is_told_in_a_con_with_the_observers_token_and_a_larger_number(scene):
    registered = scene.register(token=b"tok")

    scene.change("new")
    ((peer, message),) = scene.send()

    assert (peer, message.type, message.code, message.token) == ("a", CON, CONTENT, b"tok")
    assert message.payload == b"new"
    assert number_of(message) > registered
    assert [n for n, _ in message.options] == [OBSERVE, MAX_AGE]
    assert int.from_bytes(message.option(MAX_AGE), "big") * 1000 > REFRESH_MS


def test_what_has_not_changed_is_not_told(scene):
    scene.register()

    assert scene.send() == []


def test_changes_during_a_flight_are_one_notification_of_the_newest(scene):
    scene.register()
    scene.change("1")
    ((_, first),) = scene.send()
    for text in ("2", "3", "4"):
        scene.change(text)
        assert scene.send() == []

    assert scene.acknowledge("a", first)
    batch = scene.send()

    assert texts_of(batch) == ["4"]
    assert scene.send() == []


def test_an_unacknowledged_con_is_sent_again_with_doubling_waits_then_its_peer_is_gone(scene):
    scene.register()
    scene.change("1")
    ((_, first),) = scene.send()

    for wait_ms in TRANSMISSIONS_MS:
        assert scene.send(wait_ms - 1) == []
        assert scene.send(1) == [("a", first)]
    assert scene.send(32_000) == []

    assert len(scene.observers) == 0
    assert scene.changed == {}


def test_a_newer_state_replaces_what_is_sent_again_and_the_waits_go_on(scene):
    scene.register()
    scene.change("1")
    ((_, first),) = scene.send()
    scene.change("2")

    ((_, second),) = scene.send(2000)

    assert second.payload == b"2"
    assert second.message_id != first.message_id
    assert number_of(second) > number_of(first)
    assert not scene.acknowledge("a", first)
    assert scene.send(3999) == []
    assert scene.send(1) == [("a", second)]


def test_a_state_that_changes_for_ever_keeps_nobody_who_is_gone(scene):
    scene.register()
    for n in range(32):  # 2 + 4 + 8 + 16 + 32 s after the first
        scene.change(str(n))
        scene.send(2000)

    assert len(scene.observers) == 0
    assert len(scene.sent) == 5


def test_a_reset_ends_the_observation(scene):
    scene.register()
    scene.change("1")
    ((_, message),) = scene.send()

    assert scene.observers.reset("a", message.message_id)

    assert (len(scene.observers), scene.changed) == (0, {})
    assert scene.send(2000) == []


def test_a_message_id_that_is_none_of_ours_is_somebody_elses(scene):
    scene.register()
    scene.change("1")
    ((_, message),) = scene.send()

    assert not scene.observers.acknowledged("a", message.message_id + 1)
    assert not scene.observers.reset("b", message.message_id)
    assert scene.acknowledge("a", message)
    assert not scene.acknowledge("a", message)


def test_whoever_cancels_hears_no_more(scene):
    scene.register(token=b"1")
    scene.register(token=b"2")
    scene.change("1")

    scene.observers.cancel("a", b"1")
    batch = scene.send()

    assert [message.token for _, message in batch] == [b"2"]
    assert len(scene.observers) == 1


def test_cancelling_what_is_in_flight_frees_the_line_for_the_next(scene):
    scene.register(token=b"1")
    scene.register(token=b"2")
    scene.change("1")
    ((_, first),) = scene.send()

    scene.observers.cancel("a", first.token)
    ((_, second),) = scene.send()

    assert {first.token, second.token} == {b"1", b"2"}


def test_the_same_token_again_is_the_same_observation_with_a_larger_number(scene):
    first = scene.register()
    scene.change("1")
    scene.send()

    again = scene.register()
    scene.change("2")
    batch = scene.send()

    assert again > first
    assert texts_of(batch) == ["2"]
    assert number_of(batch[0][1]) > again
    assert len(scene.observers) == 1


def test_a_peer_has_one_con_in_flight_however_much_it_observes(scene):
    for n in range(5):
        scene.register(path=f"home/{n}", token=bytes([n]))
    for n in range(5):
        scene.change(str(n), path=f"home/{n}")

    told = []
    for _ in range(5):
        ((peer, message),) = scene.send()
        told.append(message.payload)
        scene.acknowledge(peer, message)

    assert told == [b"0", b"1", b"2", b"3", b"4"]
    assert scene.send() == []


def test_a_silent_peer_holds_up_nobody_else(scene):
    for peer in ("silent", "b"):
        scene.register(peer=peer)
    for text in ("1", "2", "3"):
        scene.change(text)
        for peer, message in scene.send():
            if peer == "b":
                scene.acknowledge(peer, message)

    assert [m.payload for p, m in scene.sent if p == "b"] == [b"1", b"2", b"3"]
    assert [m.payload for p, m in scene.sent if p == "silent"] == [b"1"]


def test_a_resource_that_is_gone_ends_its_observations_with_a_last_word(scene):
    scene.register(peer="a")
    scene.register(peer="b")

    scene.change(None)
    batch = scene.send()

    assert [(m.code, m.option(OBSERVE), m.payload) for _, m in batch] == [(0x84, None, b"")] * 2
    assert scene.changed == {}  # nobody is called back any more
    for peer, message in batch:
        scene.acknowledge(peer, message)
    assert len(scene.observers) == 0


def test_the_last_word_is_sent_again_until_it_is_heard(scene):
    scene.register()
    scene.change(None)
    ((_, last),) = scene.send()

    assert scene.send(2000) == [("a", last)]


def test_whoever_registers_after_the_last_word_observes_anew(scene):
    scene.register(token=b"1")
    scene.change(None)
    ((_, last),) = scene.send()

    scene.register(peer="b", token=b"2")
    scene.change("back")
    ((peer, message),) = scene.send()

    assert (peer, message.payload) == ("b", b"back")
    assert scene.acknowledge("a", last)


def test_what_changes_while_it_is_read_is_read_again(scene):
    scene.register()
    scene.change("1")
    view = scene.observers.stale(0)
    scene.change("2")

    scene.observers.show(view, Response(CONTENT, [], b"1"))

    assert texts_of(scene.send()) == ["2"]


def test_whoever_registers_during_a_read_is_not_told_an_older_state_after_a_newer(scene):
    scene.register(peer="a")
    scene.change("1")
    view = scene.observers.stale(0)
    registered = scene.register(peer="b")

    scene.observers.show(view, Response(CONTENT, [], b"1"))
    batch = scene.send()

    assert [peer for peer, _ in batch] == ["a"]
    assert number_of(batch[0][1]) < registered


def test_a_state_that_never_changes_is_told_again_before_it_is_stale(scene):
    scene.register()
    scene.texts["home/a"] = "still"

    assert scene.observers.next_due_ms() == REFRESH_MS
    assert scene.send(REFRESH_MS - 1) == []
    assert texts_of(scene.send(1)) == ["still"]


def test_it_says_when_to_look_again(scene):
    scene.register()
    scene.change("1")
    ((_, message),) = scene.send()

    in_flight = scene.observers.next_due_ms()
    scene.acknowledge("a", message)
    scene.send(2000)

    assert in_flight == 2000
    assert scene.observers.next_due_ms() == REFRESH_MS
    assert Scene().observers.next_due_ms() is None
