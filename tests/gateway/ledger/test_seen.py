"""New numbers are known as such without being looked up; old ones never pass for new."""

import random

import pytest

from gateway.ledger.batch import Kept
from gateway.ledger.seen import Seen
from gateway.store.memory import MemoryStore
from tests.fakes import FakeDevice, FakeGateway

KID, OTHER = b"12345678", b"abcdefgh"


class Looking:
    """A reader that counts how often it is asked."""

    def __init__(self, taken: dict[tuple[bytes, int], int | None]) -> None:
        self.taken, self.asked = taken, 0

    def highest(self, kid, epoch):
        self.asked += 1
        return self.taken.get((kid, epoch), -1)


def test_a_rising_sequence_is_new_and_asks_the_store_once():
    reader, seen = Looking({}), Seen()

    assert all(seen.is_new((KID, 1, n), reader) for n in range(100))
    assert reader.asked == 1


@pytest.mark.parametrize("sequence", [0, 3, 7])
def test_what_is_not_above_the_highest_has_to_be_looked_up(sequence):
    assert not Seen().is_new((KID, 1, sequence), Looking({(KID, 1): 7}))


def test_each_device_and_epoch_has_its_own_numbers():
    reader, seen = Looking({(KID, 1): 7}), Seen()

    assert seen.is_new((KID, 2, 0), reader)
    assert seen.is_new((OTHER, 1, 0), reader)


def test_where_damage_hides_the_highest_each_number_is_looked_up():
    assert not Seen().is_new((KID, 1, 99), Looking({(KID, 1): None}))


def test_after_a_failure_nothing_is_taken_for_new_until_something_was_kept():
    reader, seen = Looking({}), Seen()
    seen.is_new((KID, 1, 0), reader)

    seen.failed()

    assert not seen.is_new((KID, 1, 1), reader)
    seen.committed()
    assert seen.is_new((KID, 1, 1), reader)


def test_the_table_forgets_rather_than_grow():
    reader, seen = Looking({(KID, 1): 7}), Seen()
    for epoch in range(5000):
        seen.is_new((OTHER, epoch, 0), reader)

    assert not seen.is_new((KID, 1, 7), reader)


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_each_number_is_kept_once(seed):
    roll, store, shed = random.Random(seed), MemoryStore(), FakeDevice("shed")
    gateway, kept = FakeGateway(store), {}

    for _ in range(60):
        numbers = [(roll.randrange(3), roll.randrange(40)) for _ in range(roll.randrange(1, 6))]
        outcomes = gateway.commit(*(shed.submission(n, epoch=e) for e, n in numbers))
        for number, outcome in zip(numbers, outcomes, strict=True):
            assert isinstance(outcome, Kept)
            assert kept.setdefault(number, outcome.index) == outcome.index
        if roll.randrange(5) == 0:
            gateway.writer = gateway.new_writer()

    assert gateway.writer.size == len(kept)
