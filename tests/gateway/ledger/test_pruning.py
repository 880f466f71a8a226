"""Bodies deleted in steps, each with the entry that says so."""

import pytest

from gateway.errors import StoreFailedError, StoreFullError
from gateway.ledger import fsck, pruning
from gateway.ledger.batch import Kept, Submission
from gateway.ledger.log import Draft, Log
from gateway.ledger.pruning import MAX_BYTES, MAX_ENTRIES, MIN_BYTES, Order, Pace
from gateway.store import Selection
from protocol import prune as prunes
from protocol.prune import REDACTION, RETENTION, Prune
from tests.fakes import NOW_MS, ORIGIN, FakeDevice, FakeGateway

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")


@pytest.fixture
def gateway(store):
    """Entries 0 to 9 are packs, of shed and cellar in turn."""
    gateway = FakeGateway(store)
    for n in range(5):
        gateway.commit(SHED.submission(n), CELLAR.submission(n))
    return gateway


def fill_in_steps(gateway, starts: range) -> None:
    for start in starts:
        gateway.commit(*(SHED.submission(n) for n in range(start, start + starts.step)))


def without_body(gateway) -> list[int]:
    return [e.index for e in gateway.store.read(lambda r: r.entries(0, 999)) if e.body is None]


def recorded(gateway, index: int) -> Prune:
    (entry,) = gateway.store.read(lambda r: r.entries(index, index + 1))
    assert (entry.kind, entry.source) == ("pruned", "")
    return prunes.decode(entry.body)


def test_a_prune_is_an_entry_that_says_what_was_deleted(gateway):
    size_bytes = sum(n for _, n in gateway.store.read(lambda r: r.bodies(Selection(2, 6), 9)))

    done = pruning.commit(gateway.writer, Selection(2, 6), RETENTION)

    assert done == (10, Prune(2, 6, None, None, RETENTION, 4, size_bytes))
    assert recorded(gateway, 10) == done.prune
    assert without_body(gateway) == [2, 3, 4, 5]
    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid


def test_a_device_can_be_redacted_by_itself(gateway):
    done = pruning.commit(gateway.writer, Selection(0, 10, None, "cellar"), REDACTION)

    assert (done.prune.source, done.prune.why, done.prune.count) == ("cellar", REDACTION, 5)
    assert without_body(gateway) == [1, 3, 5, 7, 9]


@pytest.mark.parametrize(
    "step", [Selection(3, 3), Selection(0, 10, "alert"), Selection(0, 10, None, "roof")]
)
def test_where_nothing_is_deleted_nothing_is_recorded(gateway, step):
    assert pruning.commit(gateway.writer, step, RETENTION) is None
    assert gateway.writer.size == 10


def test_an_entry_that_records_a_prune_is_not_pruned(gateway):
    pruning.commit(gateway.writer, Selection(0, 10), RETENTION)

    assert pruning.commit(gateway.writer, Selection(0, 11), RETENTION) is None
    assert recorded(gateway, 10).count == 10


def test_a_device_that_sends_a_deleted_pack_again_is_told_that_it_was_kept(gateway):
    pruning.commit(gateway.writer, Selection(0, 10), REDACTION)

    again = gateway.commit(*(SHED.submission(n) for n in range(5)))

    assert again == [Kept(2 * n, repeat=True) for n in range(5)]
    assert without_body(gateway) == list(range(10))


def test_nothing_stays_of_deleted_bodies_that_have_no_tag(gateway):
    gateway.commit(Submission(Draft("note", "me", b"plain words")))

    pruning.commit(gateway.writer, Selection(0, 11, kind="note"), REDACTION)
    pruning.commit(gateway.writer, Selection(0, 11), REDACTION)

    assert [gateway.store.read(lambda r, n=n: r.tail(n) is None) for n in (9, 10)] == [False, True]


def test_a_store_that_is_full_to_the_last_page_can_be_pruned_and_goes_on(store):
    gateway = FakeGateway(store)
    gateway.fill(600, SHED)
    gateway.store.limit_pages(1)  # it has more already, and that is then the most
    with pytest.raises(StoreFullError):
        fill_in_steps(gateway, range(600, 1200, 20))
    full = gateway.store.read(Log.load).size

    pruning.commit(gateway.writer, Selection(0, 300), RETENTION)
    (following,) = gateway.commit(SHED.submission(5000))

    assert following == Kept(full + 1, repeat=False)
    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid


FAILURES = {
    "full": (StoreFullError("no space left"), False),
    "failed, not kept": (StoreFailedError("I/O error"), False),
    "failed, but kept": (StoreFailedError("I/O error"), True),
}


@pytest.mark.parametrize(("error", "kept"), FAILURES.values(), ids=FAILURES)
def test_a_prune_that_fails_is_whole_or_not_there_at_all(error, kept):
    gateway = FakeGateway()
    gateway.fill(6, SHED)
    gateway.store.fail_with, gateway.store.fail_after_keeping = error, kept

    with pytest.raises(type(error)):
        pruning.commit(gateway.writer, Selection(0, 4), RETENTION)
    deleted = without_body(gateway)
    again = pruning.commit(gateway.writer, Selection(0, 4), RETENTION)
    (following,) = gateway.commit(SHED.submission(6))

    assert deleted == ([0, 1, 2, 3] if kept else [])
    assert (again is None) == kept
    assert following == Kept(7, repeat=False)
    assert recorded(gateway, 6).count == 4
    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid


def look(gateway, wanted: Selection, max_bytes: int = pruning.MAX_BYTES):
    """(step, where to look next) and the number of bodies in the step."""
    found = gateway.store.read(lambda r: pruning.look(r, wanted, max_bytes))
    return (found.step, found.next_start), found.found.bodies


def test_a_step_begins_at_the_first_body_that_is_there(gateway):
    pruning.commit(gateway.writer, Selection(0, 4), RETENTION)

    assert look(gateway, Selection(0, 8)) == ((Selection(4, 8), 8), 4)
    assert look(gateway, Selection(0, 4)) == ((None, 4), 0)
    cellar = Selection(5, 8, None, "cellar")
    assert look(gateway, cellar._replace(start=0)) == ((cellar, 8), 2)


def test_a_step_takes_no_more_bytes_than_it_may_but_one_body_always(gateway):
    sizes = [n for _, n in gateway.store.read(lambda r: r.bodies(Selection(0, 9), 9))]

    assert look(gateway, Selection(0, 9), sum(sizes[:3])) == ((Selection(0, 3), 3), 3)
    assert look(gateway, Selection(0, 9), sum(sizes[:3]) - 1) == ((Selection(0, 2), 2), 2)
    assert look(gateway, Selection(0, 9), 1) == ((Selection(0, 1), 1), 1)


def test_a_step_looks_at_a_bounded_number_of_entries(gateway):
    gateway.commit(*[Submission(Draft("pack", "shed", b"short"))] * MAX_ENTRIES)
    pruning.commit(gateway.writer, Selection(0, 10), RETENTION)

    steps = [look(gateway, Selection(start, 1 << 40)) for start in (0, 10, MAX_ENTRIES + 5)]

    one, two, three = MAX_ENTRIES, MAX_ENTRIES + 10, 2 * MAX_ENTRIES + 5
    assert steps == [
        ((Selection(10, one), one), MAX_ENTRIES - 10),
        ((Selection(10, two), two), MAX_ENTRIES),
        ((Selection(MAX_ENTRIES + 5, three), three), 5),
    ]


def test_a_step_past_the_end_rules_nothing_that_is_to_come(gateway):
    end = gateway.writer.size

    done = pruning.commit(gateway.writer, Selection(0, 99), RETENTION)
    gateway.fill(5, FakeDevice("late"))

    assert (done.prune.stop, done.recorded_at) == (end, end)
    assert fsck.check(gateway.store, ORIGIN, gateway.sign()).valid
    assert pruning.commit(FakeGateway().writer, Selection(0, 99), RETENTION) is None


def test_looking_past_the_end_finds_nothing(gateway):
    assert look(gateway, Selection(20, 10)) == ((None, 20), 0)
    assert look(gateway, Selection(500, 600)) == ((None, 600), 0)


ORDERS = [
    (Order(), 10, [*range(10)]),
    (Order(), 4, [0, 1, 2, 3]),
    (Order(start=3, stop=5), 10, [3, 4]),
    (Order(start=3, stop=99), 7, [3, 4, 5, 6]),
    (Order(source="cellar"), 10, [1, 3, 5, 7, 9]),
    (Order(kind="alert"), 10, []),
    (Order(before_ms=NOW_MS + 4), 10, [0, 1, 2, 3, 4, 5, 6, 7]),
    (Order(before_ms=NOW_MS + 4, start=5), 7, [5, 6]),
    (Order(before_ms=NOW_MS), 10, []),
    (Order(start=99), 10, []),
]


@pytest.mark.parametrize(("order", "limit", "indexes"), ORDERS)
def test_an_order_is_followed_to_its_end(store, order, limit, indexes):
    """Two entries a millisecond."""
    gateway = FakeGateway(store)
    for n in range(5):
        gateway.surroundings.now_ms = NOW_MS + n
        gateway.commit(SHED.submission(n), CELLAR.submission(n))

    left = order
    while left is not None:
        found, left = store.read(lambda r, o=left: pruning.follow(r, o, limit))
        if found.step:
            pruning.commit(gateway.writer, found.step, order.why)

    assert without_body(gateway) == indexes


def test_a_long_order_is_followed_in_parts(gateway):
    gateway.commit(*[Submission(Draft("pack", "shed", b"short"))] * 2 * MAX_ENTRIES)

    first, left = gateway.store.read(lambda r: pruning.follow(r, Order(redact=True), 1 << 40))
    over = Order(start=MAX_ENTRIES, before_ms=1)

    assert first.step == Selection(0, MAX_ENTRIES)
    assert left == Order(start=MAX_ENTRIES, redact=True)
    assert (left.why, over.why) == (REDACTION, RETENTION)
    assert gateway.store.read(lambda r: pruning.follow(r, over, 1 << 40))[1] is None


PACES = [
    ("slow steps become smaller, to a limit", [0.03] * 9, MIN_BYTES),
    ("quick steps become larger, to a limit", [0.005] * 20, MAX_BYTES),
    ("steps that take what they may stay", [0.02, 0.025, 0.013], 2 * MIN_BYTES),
    ("a slow one is felt at once", [0.005] * 20 + [0.1], MAX_BYTES // 2),
]


@pytest.mark.parametrize(("_", "seconds", "step_bytes"), PACES)
def test_the_size_of_a_step_follows_the_time_it_takes(_, seconds, step_bytes):
    pace = Pace()

    for took in seconds:
        pace.took(took)

    assert pace.step_bytes == step_bytes
