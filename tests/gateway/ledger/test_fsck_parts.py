"""fsck on the table that says what resources consist of."""

import pytest

from gateway.ledger import fsck, pruning
from gateway.ledger.batch import Submission
from gateway.ledger.changes import TOTALS, Totals
from gateway.ledger.fsck import Options
from gateway.ledger.log import Draft
from gateway.store import Part, Selection
from protocol import resource
from protocol.prune import REDACTION, RETENTION
from protocol.resource import Change
from tests.fakes import ORIGIN, FakeDevice, FakeGateway
from tests.gateway.resourceful import delete, post, put


@pytest.fixture
def gateway(store):
    """home/a: entries 0, 2, 4; home/b: put 1, deleted 5, put 6; home/c: put 3 and again 7."""
    gateway = FakeGateway(store)
    gateway.commit(put("home/a", b"1", 0), put("home/b"), post("home/a", b"2"))
    gateway.commit(put("home/c"), post("home/a", b"3"), delete("home/b"), put("home/b", b"yes"))
    gateway.commit(put("home/c", b"", 60), FakeDevice().submission(0))
    return gateway


def found(gateway, **options):
    report = fsck.check(gateway.store, ORIGIN, gateway.sign(), Options(**options))
    return report.valid, report.first_bad, report.reason


def test_parts_that_are_right(gateway):
    assert found(gateway) == (True, None, None)


def test_no_resources_at_all_are_right(store):
    assert found(FakeGateway(store)) == (True, None, None)


@pytest.mark.parametrize(("start", "stop", "why"), [(0, 9, REDACTION), (1, 4, REDACTION)])
def test_parts_whose_bodies_were_deleted_are_right(gateway, start, stop, why):
    pruning.commit(gateway.writer, Selection(start, stop), why)

    assert found(gateway) == (True, None, None)


@pytest.mark.parametrize("order", [(1, 3, 5), (5, 3, 1)])
def test_parts_are_right_whatever_was_superseded_is_deleted(gateway, order):
    for index in order:
        pruning.commit(gateway.writer, Selection(index, index + 1), RETENTION)
    gateway.commit(post("home/a"), put("home/c"))

    assert found(gateway) == (True, None, None)


def put_part(*fields):
    return lambda parts: parts.put(Part(*fields))


def replaced(path, *parts):
    def work(there):
        there.drop(path)
        for part in parts:
            there.put(Part(path, *part))

    return work


A = [(0, 0, 1, 0, 0), (1, 2, 2, 0, 0), (2, 4, 3, 0, 0)]
PLACE = "it is not in its place in home/"
BESIDE = "size or format beside home/"
NONE = "home/c consists of what is none of its changes"
STALE = "a resource is not as its newest change left it"
MISSED = "6 changes of resources are there, and"
WRONG = {
    "an older one": (replaced("home/c", (0, 3, 1, None, 3)), None, STALE),
    "a life before": (replaced("home/b", (0, 1, 1, None, 1)), None, STALE),
    "none": (replaced("home/b"), None, "7 changes of resources are there, and 6 are"),
    "the last is missing": (replaced("home/a", *A[:2]), None, STALE),
    "the first is missing": (replaced("home/a", *A[1:]), 2, PLACE + "a"),
    "one is missing": (replaced("home/a", A[0], A[2]), 4, PLACE + "a"),
    "the order": (replaced("home/a", A[0], (1, 4, 2, 0, 0), (2, 2, 3, 0, 0)), 4, PLACE + "a"),
    "a position": (replaced("home/a", *A[:2], (3, 4, 3, 0, 0)), 4, PLACE + "a"),
    "a later format": (replaced("home/a", *A[:2], (2, 4, 3, 60, 0)), 4, PLACE + "a"),
    "a format": (replaced("home/c", (0, 7, 0, 0, 7)), 7, BESIDE + "c"),
    "a size": (replaced("home/a", *A[:2], (2, 4, 4, 0, 0)), 4, BESIDE + "a"),
    "another path's": (replaced("home/c", (0, 4, 1, None, 4)), 4, NONE),
    "a delete": (replaced("home/c", (0, 5, 1, None, 5)), 5, NONE),
    "a pack": (replaced("home/c", (0, 8, 1, None, 8)), 8, NONE),
    "no entry": (replaced("home/c", (0, 99, 1, None, 99)), 99, NONE),
    "below zero": (replaced("home/c", (0, -3, 1, None, -3)), -3, NONE),
}


@pytest.mark.parametrize(("damage", "named", "words"), WRONG.values(), ids=WRONG)
def test_a_resource_that_is_not_what_its_entries_say_is_named(gateway, damage, named, words):
    gateway.store.transact(lambda t: damage(t.parts))

    valid, first_bad, reason = found(gateway)

    assert (valid, first_bad) == (False, named)
    assert words in reason


def test_an_older_one_is_found_when_all_that_was_superseded_is_deleted(gateway):
    for index in (1, 3, 5):
        pruning.commit(gateway.writer, Selection(index, index + 1), RETENTION)
    gateway.store.transact(lambda t: replaced("home/c", (0, 3, 1, None, 3))(t.parts))

    assert found(gateway) == (False, None, STALE)


def test_a_path_that_was_deleted_and_has_parts_is_found(gateway):
    gateway.commit(delete("home/c"))
    gateway.store.transact(lambda t: t.parts.put(Part("home/c", 0, 7, 0, 60, 7)))

    valid, first_bad, reason = found(gateway)

    assert (valid, first_bad) == (False, None)
    assert reason.startswith("7 changes of resources are there, and 8 are")


@pytest.mark.parametrize("totals", [Totals(2, 6), Totals(3, 7)])
def test_totals_that_are_others_are_found(gateway, totals):
    gateway.store.transact(lambda t: t.put_state(TOTALS, totals.encoded()))

    assert found(gateway) == (
        *(False, None),
        "how many resources there are is not what is counted",
    )


def test_totals_that_are_damaged_are_found(gateway):
    gateway.store.transact(lambda t: t.put_state(TOTALS, b"nonsense"))

    assert found(gateway)[0] is False


ASTRAY = {
    "of another path": 1,
    "a delete": 5,
    "a pack": 8,
    "itself": 9,
    "what is to come": 10,
    "nothing": 99,
}


@pytest.mark.parametrize("before", ASTRAY.values(), ids=ASTRAY)
def test_a_change_that_follows_none_of_its_path_is_named(gateway, before):
    body = resource.encode(Change("put", "@ci", b"", None, before))
    gateway.commit(Submission(Draft("put", "home/a", body)), put("home/a"))

    valid, first_bad, reason = found(gateway)

    assert (valid, first_bad) == (False, 9)
    assert reason == f"entry {before} is no change of home/a, which it should follow"


def test_a_body_that_is_no_change_is_named(gateway):
    gateway.commit(Submission(Draft("put", "home/a", b"no change")))

    assert found(gateway)[:2] == (False, 9)


def test_a_deleted_change_without_what_it_followed_is_named(gateway):
    gateway.store.transact(lambda t: t.delete_bodies(Selection(1, 2)))
    pruning.commit(gateway.writer, Selection(0, 4), REDACTION)  # which tells of it, too

    assert found(gateway)[:2] == (False, 1)


def test_what_is_changed_while_fsck_looks_is_right(gateway):
    steps = iter(range(10_000))

    def meanwhile():
        n = next(steps)
        gateway.commit(put(f"home/{n % 7}", b"%d" % n), post("home/a"), delete(f"home/{n % 7}"))

    assert found(gateway, pause=meanwhile) == (True, None, None)
    assert next(steps) > 2


def test_much_that_is_changed_while_fsck_looks_is_followed_up(gateway):
    """More than is read in one view at the end."""
    done = []

    def meanwhile():
        while len(done) < 4:
            done.append(gateway.commit(*(post(f"home/{n % 15}", b"") for n in range(500))))

    assert found(gateway, pause=meanwhile) == (True, None, None)
    assert gateway.writer.size == 2009


def test_a_collectors_copy_has_no_parts_to_check(gateway):
    gateway.store.transact(lambda t: replaced("home/b")(t.parts))

    assert found(gateway, is_copy=True) == (True, None, None)


def test_since_a_checkpoint_the_parts_are_taken_on_trust(gateway):
    note = gateway.sign()
    gateway.store.transact(lambda t: replaced("home/b")(t.parts))
    gateway.commit(put("home/a"))

    assert found(gateway, since=note) == (True, None, None)
