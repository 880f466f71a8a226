"""Clock, checkpoints and alerts of the one writer; its failures are in test_failures.py."""

import pytest

from gateway.errors import ConflictError, StoreFullError
from gateway.ledger import fsck
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.ledger.start import CHECKPOINT
from gateway.ledger.writer import CLOCK_FLOOR_MS
from protocol import leaf as leaves
from protocol.checkpoint import unverified
from tests.fakes import NOW_MS, ORIGIN, FakeDevice, FakeGateway

HOUR_MS = 3_600_000
DEVICE = FakeDevice()


def kept_at(gateway: FakeGateway, now_ms: int, sequence: int) -> tuple[int, int]:
    """(received_ms, clock) of one pack that is kept while the clock says `now_ms`."""
    gateway.surroundings.now_ms = now_ms
    (kept,) = gateway.commit(DEVICE.submission(sequence))
    (entry,) = gateway.store.read(lambda r: r.entries(kept.index, kept.index + 1))
    fields = leaves.decode(entry.leaf)
    assert fields.received_ms == entry.received_ms
    return fields.received_ms, fields.clock


def suspect(gateway: FakeGateway) -> float:
    return gateway.metrics.registry.get_sample_value("tallystick_clock_suspect_total")


# what the clock says, entry by entry -> which entries are trusted
CLOCKS = {
    "goes on": ([NOW_MS, NOW_MS + 1, NOW_MS + HOUR_MS], [1, 1, 1]),
    "stands": ([NOW_MS, NOW_MS], [1, 1]),
    "1970": ([0, 1, NOW_MS], [0, 0, 1]),
    "before 1970": ([-5, NOW_MS], [0, 1]),
    "just before the floor": ([CLOCK_FLOOR_MS - 1, CLOCK_FLOOR_MS], [0, 1]),
    "back by an hour": ([NOW_MS, NOW_MS - HOUR_MS, NOW_MS - HOUR_MS + 1], [1, 0, 1]),
    "slewed": ([NOW_MS, NOW_MS - 1000], [1, 1]),
    "back to 1970": ([NOW_MS, 0, NOW_MS + 5], [1, 0, 1]),
}


@pytest.mark.parametrize(("times", "trusted"), CLOCKS.values(), ids=CLOCKS)
def test_an_entry_says_whether_the_clock_went_on(times, trusted):
    gateway = FakeGateway()

    stamps = [kept_at(gateway, now_ms, n) for n, now_ms in enumerate(times)]

    assert stamps == [(max(t, 0), clock) for t, clock in zip(times, trusted, strict=True)]
    assert suspect(gateway) == trusted.count(0)
    assert gateway.writer.clock_trusted == bool(trusted[-1])
    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid


def test_a_writer_that_must_not_sign_goes_on_keeping():
    gateway = FakeGateway(checkpoint_every_entries=1)
    gateway.fill(1)
    note = gateway.writer.note

    gateway.writer.stop_signing()
    (kept,) = gateway.commit(DEVICE.submission(1))
    gateway.writer.sign_if_due(10**6, force=True)

    assert (kept.index, gateway.writer.note) == (1, note)
    assert gateway.surroundings.kept == [note]
    assert gateway.writer.due_in_ms(10**6, 1000) == 1000


def test_the_clock_is_held_to_the_ledger_after_a_restart_too():
    gateway = FakeGateway()
    kept_at(gateway, NOW_MS, 0)

    gateway.writer = gateway.new_writer()

    assert kept_at(gateway, NOW_MS - HOUR_MS, 1) == (NOW_MS - HOUR_MS, 0)


def test_a_checkpoint_is_due_every_so_many_ms():
    gateway = FakeGateway(checkpoint_every_ms=1000)
    sizes = []

    for tenth in range(40):
        if tenth in (0, 1, 12, 13):
            gateway.commit(DEVICE.submission(tenth))
        gateway.writer.sign_if_due(100 + tenth / 10)
        sizes.append(gateway.writer.signed_size)

    assert [tenth for tenth in range(1, 40) if sizes[tenth] != sizes[tenth - 1]] == [10, 20]
    assert (sizes[0], sizes[-1]) == (1, 4)


def test_a_checkpoint_is_due_every_so_many_entries():
    gateway = FakeGateway(checkpoint_every_entries=3, checkpoint_every_ms=10**9)
    signed = []
    gateway.writer.sign_if_due(10**7)

    for n in range(8):
        gateway.commit(DEVICE.submission(n))
        gateway.writer.sign_if_due(10**7)
        signed.append(gateway.writer.signed_size)

    assert signed == [1, 1, 1, 4, 4, 4, 7, 7]


def test_how_long_until_a_checkpoint_is_due():
    gateway = FakeGateway(checkpoint_every_ms=1000)
    gateway.fill(1)

    idle = gateway.writer.due_in_ms(0.2, 700)
    gateway.commit(DEVICE.submission(1))

    assert idle == 700
    assert gateway.writer.due_in_ms(0.5, 700) == 500
    assert gateway.writer.due_in_ms(0.2, 700) == 700
    assert gateway.writer.due_in_ms(9, 700) == 0


def test_nothing_new_is_nothing_to_sign():
    gateway = FakeGateway()
    gateway.fill(2)

    for _ in range(3):
        gateway.writer.sign_if_due(10**6, force=True)

    assert [unverified(note).size for note in gateway.surroundings.kept] == [2]


def test_a_checkpoint_that_cannot_be_written_is_counted_and_tried_again():
    gateway = FakeGateway(checkpoint_every_ms=1000)
    gateway.commit(DEVICE.submission(0))
    gateway.surroundings.checkpoints_fail = True

    for now_s in (10, 10.5, 11.1):
        gateway.writer.sign_if_due(now_s)
    waiting = (gateway.writer.note, gateway.writer.signed_size, gateway.writer.due_in_ms(11.2, 999))
    gateway.surroundings.checkpoints_fail = False
    gateway.writer.sign_if_due(12.2)

    failures = gateway.metrics.registry.get_sample_value("tallystick_checkpoint_failures_total")
    assert failures == 2
    assert waiting[:2] == ("", 0)
    assert waiting[2] == pytest.approx(900)
    assert unverified(gateway.writer.note).size == gateway.writer.signed_size == 1


def test_the_last_checkpoint_goes_into_the_next_transaction_that_adds_an_entry():
    gateway = FakeGateway()
    gateway.fill(1)
    note = gateway.writer.note

    gateway.commit(DEVICE.submission(0))
    repeat_only = gateway.store.read(lambda r: r.state(CHECKPOINT))
    gateway.commit(DEVICE.submission(1))

    assert repeat_only is None
    assert gateway.store.read(lambda r: r.state(CHECKPOINT)) == note.encode()


def test_a_writer_resumes_from_the_checkpoint_the_start_accepted():
    gateway = FakeGateway()
    gateway.fill(3)
    writer = gateway.new_writer()

    writer.resume(3, gateway.writer.note)
    writer.sign_if_due(10**6)

    assert (writer.size, writer.signed_size, writer.note) == (3, 3, gateway.writer.note)
    assert len(gateway.surroundings.kept) == 1


def test_states_are_kept_with_a_batch_and_without_one():
    gateway = FakeGateway()

    gateway.writer.commit([DEVICE.submission(0)], {"cursor": b"1"})
    gateway.writer.commit([], {"cursor": b"2", "other": b"x"})

    assert gateway.store.read(lambda r: (r.state("cursor"), r.state("other"))) == (b"2", b"x")
    assert gateway.writer.size == 1


def test_a_device_that_insists_on_a_conflict_leaves_one_alert():
    gateway = FakeGateway()
    gateway.fill(1, DEVICE)

    heard = [gateway.commit(DEVICE.submission(0, value=99))[0] for _ in range(5)]

    assert [type(outcome) for outcome in heard] == [ConflictError] * 5
    assert gateway.writer.size == 2


def test_the_memory_of_alerts_is_bounded():
    gateway = FakeGateway()
    gateway.commit(*(DEVICE.submission(n) for n in range(1200)))

    gateway.commit(*(DEVICE.submission(n, value=99) for n in range(1200)))
    before = gateway.writer.size
    gateway.commit(*(DEVICE.submission(n, value=99) for n in range(1200)))

    assert before == 2400
    assert gateway.writer.size - before == 1200 - 1024


def test_salts_are_never_the_same():
    gateway = FakeGateway()
    for n in range(3):
        gateway.commit(*(DEVICE.submission(3 * n + k) for k in range(3)))

    entries = gateway.store.read(lambda r: r.entries(0, 9))

    assert len({entry.salt for entry in entries}) == 9
    assert {len(entry.salt) for entry in entries} == {leaves.SALT_BYTES}


def test_what_nobody_numbers_is_kept_every_time():
    gateway = FakeGateway()
    submission = Submission(Draft("note", "me", b"x"))

    outcomes = gateway.commit(submission) + gateway.commit(submission)

    assert [(kept.index, kept.repeat) for kept in outcomes] == [(0, False), (1, False)]


def test_a_change_of_the_store_and_its_entry_are_kept_together_or_not_at_all():
    gateway = FakeGateway()

    def work(transaction):
        transaction.put_state("changed", b"yes")
        return [Submission(Draft("note", "me", b"changed"))], "result"

    gateway.store.fail_with = StoreFullError("full")
    with pytest.raises(StoreFullError):
        gateway.writer.commit_with(work, {})
    before = gateway.store.read(lambda r: (r.state("changed"), r.last()))
    plan, result = gateway.writer.commit_with(work, {"more": b"1"})

    assert before == (None, None)
    assert ([kept.index for kept in plan.outcomes], result) == ([0], "result")
    assert gateway.store.read(lambda r: (r.state("changed"), r.state("more"))) == (b"yes", b"1")
    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid
