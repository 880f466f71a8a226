"""The failure table: every kind of transaction, failing before and after it was kept.

After each: what the submitter hears, whether the next submission goes on, what a repeat of
the lost one hears, and whether fsck finds the ledger sound.
"""

import pytest

from gateway.errors import ConflictError, StoreFailedError, StoreFullError
from gateway.ledger import fsck
from gateway.ledger.batch import Kept
from gateway.ledger.log import Log
from protocol.checkpoint import unverified
from tests.fakes import ORIGIN, FakeDevice, FakeGateway

DEVICE = FakeDevice()
OTHER = DEVICE.submission(0, value=99)  # conflicts with what `fill` puts under 0


def packs(start: int, stop: int):
    return [DEVICE.submission(n) for n in range(start, stop)]


# kind of transaction -> entries there before, submissions, states
TRANSACTIONS = {
    "first entry": (0, packs(0, 1), {}),
    "batch": (3, packs(3, 20), {}),
    "repeats only": (5, packs(0, 5), {}),
    "conflict with alert": (1, [OTHER], {}),
    "conflict among new": (2, [*packs(2, 4), OTHER, *packs(4, 6)], {}),
    "with states": (2, packs(2, 3), {"cursor": b"2"}),
    "states only": (2, [], {"cursor": b"2"}),
    "node row at 256": (255, packs(255, 258), {}),
}
FAILURES = {
    "full": (StoreFullError("no space left"), False),
    "failed, not kept": (StoreFailedError("I/O error"), False),
    "failed, but kept": (StoreFailedError("I/O error"), True),
}


def failing(before: int, error: Exception, kept: bool) -> FakeGateway:
    gateway = FakeGateway()
    if before:
        gateway.fill(before, DEVICE)
    gateway.store.fail_with, gateway.store.fail_after_keeping = error, kept
    return gateway


def shape(outcomes):
    return [o if isinstance(o, Kept) else type(o) for o in outcomes]


def never_failed(before: int, submissions, states) -> tuple[FakeGateway, list[object]]:
    gateway = FakeGateway()
    if before:
        gateway.fill(before, DEVICE)
    return gateway, shape(gateway.writer.commit(submissions, states))


@pytest.mark.parametrize(("error", "kept"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize(
    ("before", "submissions", "states"), TRANSACTIONS.values(), ids=TRANSACTIONS
)
class TestAfterATransactionThatFailed:
    def test_everyone_hears_it_and_the_next_one_goes_on(
        self, before, submissions, states, error, kept
    ):
        gateway = failing(before, error, kept)

        with pytest.raises(type(error)):
            gateway.writer.commit(submissions, states)
        told = gateway.writer.failing
        (following,) = gateway.commit(DEVICE.submission(1000))

        assert told == error.reason
        assert gateway.writer.failing is None
        assert following.repeat is False
        assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid

    def test_a_repeat_of_the_lost_one_is_answered_as_if_nothing_had_failed(
        self, before, submissions, states, error, kept
    ):
        gateway = failing(before, error, kept)
        twin, first_answers = never_failed(before, submissions, states)
        with pytest.raises(type(error)):
            gateway.writer.commit(submissions, states)

        answers = shape(gateway.writer.commit(submissions, states))

        if kept:  # conflicts leave a second alert, since we never knew of the first
            again = [o if o is ConflictError else Kept(o.index, repeat=True) for o in first_answers]
            assert answers == again
        else:
            assert answers == first_answers
            assert gateway.writer.size == twin.writer.size
        for key, value in states.items():
            assert gateway.store.read(lambda r, k=key: r.state(k)) == value
        assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid

    def test_what_was_kept_without_a_word_is_counted_and_signed(
        self, before, submissions, states, error, kept
    ):
        gateway = failing(before, error, kept)
        with pytest.raises(type(error)):
            gateway.writer.commit(submissions, states)

        gateway.writer.sign_if_due(10**6, force=True)

        size = gateway.store.read(Log.load).size
        twin, _ = never_failed(before, submissions, states)
        assert size == (twin.writer.size if kept else before)
        assert gateway.writer.size == gateway.writer.signed_size == size
        if size:
            assert unverified(gateway.writer.note).root == gateway.store.read(Log.load).root()


def test_a_failed_writer_waits_instead_of_asking_at_once_again():
    """A checkpoint that is due cannot be signed before the log is known again."""
    gateway = failing(0, StoreFailedError("I/O error"), kept=False)
    gateway.store.fail_with = None
    gateway.commit(*packs(0, 2))
    gateway.store.fail_with = StoreFailedError("I/O error")
    with pytest.raises(StoreFailedError):
        gateway.commit(*packs(2, 3))

    assert gateway.writer.due_in_ms(10**6, 1000) == 1000


def test_a_store_that_cannot_be_read_either_is_told_and_left_unsigned():
    gateway = failing(2, StoreFailedError("I/O error"), kept=False)
    with pytest.raises(StoreFailedError):
        gateway.commit(*packs(2, 3))
    broken = StoreFullError("cannot read")
    read, gateway.store.read = gateway.store.read, _raiser(broken)

    gateway.writer.sign_if_due(10**6, force=True)
    unreadable = gateway.writer.failing
    with pytest.raises(StoreFullError):
        gateway.commit(*packs(2, 3))
    gateway.store.read = read
    (kept,) = gateway.commit(*packs(2, 3))

    assert unreadable == "store-full"
    assert kept == Kept(2, repeat=False)
    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid


def _raiser(error):
    def read(work):
        raise error

    return read


def test_a_mistake_of_our_own_is_not_taken_for_a_failure_of_the_store():
    gateway = failing(1, ZeroDivisionError("a bug"), kept=False)

    with pytest.raises(ZeroDivisionError):
        gateway.commit(*packs(1, 2))
