"""Our confirmable messages: sent at the times of RFC 7252 §4.2, then given up; never too many."""

import pytest

from gateway.coap.bulk import Peer
from gateway.coap.exchanges import MAX_EXCHANGES, Exchanges
from protocol.coap import CON, Message, encode

HERE, THERE = ("::ffff:192.0.2.1", 5683, 0, 0), ("::ffff:192.0.2.2", 5683, 0, 0)
ID = 0xABCD


def datagram(message_id=ID):
    return encode(Message(CON, 0x45, message_id, b"t", [], b"21"))


def peer(address=HERE):
    return Peer(address, [])


def sent_ms(exchanges, until_ms, step_ms=100):
    """When something was sent again, looking as often as the endpoint does."""
    return [now for now in range(0, until_ms, step_ms) if list(exchanges.due(now))]


# Waits of 2 s * 1, 2, 4, 8 (RFC 7252 §4.8), with a factor of 1 to 1.5.
TIMES = {
    0.0: [2000, 6000, 14_000, 30_000],
    0.5: [2500, 7500, 17_500, 37_500],
    1.0: [3000, 9000, 21_000, 45_000],
}


@pytest.mark.parametrize(("jitter", "times_ms"), TIMES.items())
def test_it_is_sent_again_four_times_and_then_given_up(jitter, times_ms):
    exchanges = Exchanges()
    exchanges.add(datagram(), peer(), 0, jitter)

    found = sent_ms(exchanges, 100_000)

    assert found == times_ms
    assert len(exchanges) == 0


def test_after_the_last_time_it_waits_for_the_ack_once_more():
    exchanges = Exchanges()
    exchanges.add(datagram(), peer(), 0, 0.0)

    sent_ms(exchanges, 62_000)

    assert exchanges.settled(HERE, ID)


def test_what_is_sent_again_is_the_same_for_the_same_peer():
    exchanges = Exchanges()
    whom = Peer(HERE, [(41, 50, bytes(20))])
    exchanges.add(datagram(), whom, 0, 0.0)

    assert list(exchanges.due(2000)) == [(datagram(), whom)]


def test_what_was_acknowledged_is_not_sent_again():
    exchanges = Exchanges()
    exchanges.add(datagram(), peer(), 0, 0.0)

    settled = [exchanges.settled(HERE, ID), exchanges.settled(HERE, ID)]

    assert settled == [True, False]
    assert sent_ms(exchanges, 100_000) == []


@pytest.mark.parametrize("address", [THERE, ("::ffff:192.0.2.1", 5684, 0, 0)], ids=["host", "port"])
def test_an_ack_of_somebody_else_or_for_something_else_ends_nothing(address):
    exchanges = Exchanges()
    exchanges.add(datagram(), peer(), 0, 0.0)

    assert not exchanges.settled(address, ID)
    assert not exchanges.settled(HERE, ID + 1)
    assert len(exchanges) == 1


def test_a_peer_that_is_gone_is_sent_nothing_and_others_are():
    exchanges = Exchanges()
    for message_id in range(3):
        exchanges.add(datagram(message_id), peer(HERE), 0, 0.0)
        exchanges.add(datagram(message_id), peer(THERE), 0, 0.0)

    exchanges.gone(HERE)

    assert {whom.address for _, whom in exchanges.due(2000)} == {THERE}
    assert len(exchanges) == 3


def test_past_the_bound_nothing_more_is_remembered():
    exchanges = Exchanges()

    for n in range(MAX_EXCHANGES + 10):
        exchanges.add(datagram(n & 0xFFFF), peer(), 0, 0.0)

    assert len(exchanges) == MAX_EXCHANGES
    assert not exchanges.settled(HERE, MAX_EXCHANGES)
