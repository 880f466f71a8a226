"""Bodies in blocks, against those who send them out of order, too large, too many or never."""

import pytest

from gateway.coap import blocks
from gateway.coap.assembly import IDLE_MS, Assembly, Limits, request_key
from gateway.coap.blocks import Block
from gateway.coap.requests import (
    BLOCK1,
    BLOCK2,
    ECHO,
    IF_MATCH,
    PUT,
    REQUEST_TAG,
    SIZE1,
    URI_HOST,
)
from gateway.errors import BusyError, IncompleteError, RateError
from protocol.errors import MalformedError, TooLargeError
from tests.gateway.asking import asked

BODY = bytes(range(200))
LIMITS = Limits(bodies=3, bodies_per_peer=2, total_bytes=400)


class Sender:
    """Sends blocks of 64 bytes to an assembly of its own, or another's."""

    def __init__(self, assembly=None, *, peer="a", path="home/a", options=(), body=BODY):
        self.assembly = Assembly(LIMITS) if assembly is None else assembly
        self.peer, self.path, self.options, self.body = peer, path, options, body

    def send(self, number, *, at_ms=0, max_bytes=200, size=None, exponent=2, more=None):
        block_bytes = 16 << exponent
        start = number * block_bytes
        payload = self.body[start : start + (block_bytes if size is None else size)]
        more = start + block_bytes < len(self.body) if more is None else more
        block = Block(number, more, exponent)
        options = [*self.options, (BLOCK1, blocks.encode(block))]
        request = asked(PUT, self.path, options=options, payload=payload, peer=self.peer)
        return self.assembly.add(request, block, max_bytes=max_bytes, now_ms=at_ms)

    def send_all(self, **more):
        return [self.send(n, **more) for n in range(4)]


def test_a_body_is_whole_with_its_last_block_and_nothing_is_left():
    sender = Sender()

    assert sender.send_all() == [None, None, None, BODY]
    assert (len(sender.assembly), sender.assembly.total_bytes) == (0, 0)


def test_a_body_of_one_block_takes_no_place():
    sender = Sender(body=b"abc")

    assert sender.send(0) == b"abc"
    assert len(sender.assembly) == 0


def test_a_block_that_comes_twice_in_a_row_counts_once():
    sender = Sender()
    sender.send(0)
    sender.send(1)

    assert sender.send(1) is None
    assert [sender.send(2), sender.send(3)] == [None, BODY]


@pytest.mark.parametrize("numbers", [[1], [0, 2], [0, 1, 3], [0, 1, 0, 2], [3]])
def test_a_block_that_is_not_the_next_one_ends_the_body(numbers):
    sender = Sender()
    for number in numbers[:-1]:
        sender.send(number)

    with pytest.raises(IncompleteError):
        sender.send(numbers[-1])

    assert (len(sender.assembly), sender.assembly.total_bytes) == (0, 0)


def test_another_size_in_the_middle_goes_on_where_the_bytes_do():
    sender = Sender()
    sender.send(0, exponent=2)

    results = [sender.send(n, exponent=1) for n in range(2, 7)]

    assert results == [None] * 4 + [BODY]


def test_block_0_begins_again():
    sender = Sender()
    sender.send(0)
    sender.send(1)

    again = Sender(sender.assembly, body=BODY[::-1])

    assert again.send_all()[-1] == BODY[::-1]


@pytest.mark.parametrize("size", [0, 63])
def test_a_block_with_more_to_come_has_its_whole_size(size):
    with pytest.raises(MalformedError):
        Sender().send(0, size=size)


def test_a_last_block_is_no_longer_than_its_size():
    with pytest.raises(MalformedError):
        Sender().send(0, size=65, more=False)


def test_a_body_over_the_limit_ends_with_the_block_that_passes_it():
    sender = Sender()
    sender.send(0, max_bytes=100)

    with pytest.raises(TooLargeError) as refused:
        sender.send(1, max_bytes=100)

    assert refused.value.max_bytes == 100
    assert sender.assembly.total_bytes == 0


OTHERS = {
    "peer": {"peer": "b"},
    "path": {"path": "home/b"},
    "option": {"options": [(IF_MATCH, b"12345678")]},
    "Request-Tag": {"options": [(REQUEST_TAG, b"1")]},
    "Uri-Host": {"options": [(URI_HOST, b"garden")]},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_differs_in_one_of_these_is_another_body(other):
    first = Sender()
    first.send(0)
    second = Sender(first.assembly, body=BODY[::-1], **other)

    second.send(0)
    bodies = [[one.send(n) for n in (1, 2, 3)][-1] for one in (first, second)]

    assert bodies == [BODY, BODY[::-1]]


@pytest.mark.parametrize("number", [BLOCK1, BLOCK2, ECHO, SIZE1])
def test_what_may_differ_from_block_to_block_makes_no_other_body(number):
    plain = asked(PUT, "home/a")

    assert request_key(asked(PUT, "home/a", options=[(number, b"1")])) == request_key(plain)


def test_one_peer_has_so_many_at_once_and_is_told_when_to_come_again():
    assembly = Assembly(LIMITS)
    for path in ("home/a", "home/b"):
        Sender(assembly, path=path).send(0, at_ms=1000)

    with pytest.raises(RateError) as refused:
        Sender(assembly, path="home/c").send(0, at_ms=3000)

    assert refused.value.retry_after_s == IDLE_MS // 1000 - 2
    assert len(assembly) == 2


def test_all_together_have_so_many_at_once_whoever_they_are():
    assembly = Assembly(LIMITS)
    for peer in "abc":
        Sender(assembly, peer=peer).send(0)

    with pytest.raises(BusyError):
        Sender(assembly, peer="d").send(0)

    assert len(assembly) == 3


def test_the_bytes_of_all_together_have_a_limit():
    assembly = Assembly(LIMITS._replace(total_bytes=100))
    Sender(assembly, peer="a").send(0)

    with pytest.raises(BusyError):
        Sender(assembly, peer="b").send(0)

    assert assembly.total_bytes == 64


def test_a_body_that_is_idle_for_too_long_gives_up_its_place():
    assembly = Assembly(LIMITS)
    for peer in "abc":
        Sender(assembly, peer=peer).send(0)
    Sender(assembly, peer="b").send(1, at_ms=IDLE_MS - 1)

    Sender(assembly, peer="d").send(0, at_ms=IDLE_MS)

    assert len(assembly) == 2  # b, which went on, and d
    with pytest.raises(IncompleteError):
        Sender(assembly, peer="a").send(1, at_ms=IDLE_MS)


def test_a_flood_of_first_blocks_never_holds_more_than_the_limits_say():
    assembly = Assembly(LIMITS)
    for n in range(3000):
        try:
            Sender(assembly, peer=n % 7, path=f"home/{n}").send(0, at_ms=n * 100)
        except (BusyError, RateError):
            pass

        assert len(assembly) <= LIMITS.bodies
        assert assembly.total_bytes <= LIMITS.total_bytes
