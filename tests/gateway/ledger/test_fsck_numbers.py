"""fsck on the table that says who is told "kept": numbers, changes of members, ends of tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import fsck, pruning
from gateway.ledger.batch import CARRIED, CHANGES_KID, PACK, Number, Submission
from gateway.ledger.fsck_numbers import number_of
from gateway.ledger.log import Draft
from gateway.store import Entry, Selection
from protocol import envelope, recovery
from protocol.envelope import UP
from protocol.prune import RETENTION
from protocol.recovery import RECOVERED, Recovery
from tests.fakes import ORIGIN, FakeDevice, FakeGateway

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")


def change(n, kind="enrolled"):
    return Submission(Draft(kind, "shed", b"%d" % n), Number(CHANGES_KID, 0, n))


@pytest.fixture
def gateway(store):
    """0: a device enrolled; 1 to 4: packs; 5: it was revoked; 6: an alert."""
    gateway = FakeGateway(store)
    gateway.commit(change(1))
    gateway.commit(*(device.submission(n) for n in (1, 2) for device in (SHED, CELLAR)))
    gateway.commit(change(2, "revoked"))
    gateway.commit(SHED.submission(1, value=22))
    return gateway


def put(gateway, kid, epoch, sequence, index):
    gateway.store.transact(lambda t: t.put_number(kid, epoch, sequence, index))


def found(gateway):
    report = fsck.check(gateway.store, ORIGIN, gateway.sign())
    return report.valid, report.first_bad, report.reason


def test_numbers_that_are_right(gateway):
    assert found(gateway) == (True, None, None)


def recovered(store, body):
    """A ledger in another's place, which had two numbers."""
    gateway = FakeGateway(store)
    gateway.commit(Submission(Draft(RECOVERED, "", body)))
    put(gateway, SHED.kid, 0, 7, CARRIED)
    put(gateway, b"any kid", 0, 7, CARRIED)
    return gateway


@pytest.mark.parametrize("count", [2, None])
def test_numbers_of_the_ledger_before_are_carried_over_as_taken(store, count):
    gateway = recovered(store, recovery.encode(Recovery("before", None, count)))

    assert found(gateway) == (True, None, None)


def test_a_number_that_was_not_carried_over_is_missed(store):
    gateway = recovered(store, recovery.encode(Recovery("before", None, 3)))

    assert found(gateway) == (False, 0, "3 numbers were carried over, and 2 are here")


def test_numbers_of_a_ledger_before_that_no_entry_tells_of_are_too_many(gateway):
    put(gateway, SHED.kid, 0, 7, CARRIED)

    assert found(gateway) == (False, 0, "0 numbers were carried over, and 1 are here")


def test_a_recovery_that_says_nothing_is_named(store):
    assert found(recovered(store, b"nonsense"))[:2] == (False, 0)


def shown(kid, epoch, sequence):
    return f"{kid.hex()} {epoch}.{sequence}"


WRONG = {
    "of no entry": ((SHED.kid, 9, 9, 99), 99, "is of no entry"),
    "of an entry below zero": ((SHED.kid, 9, 9, -2), -2, "is of no entry"),
    "a second one of a pack": ((SHED.kid, 9, 9, 1), 1, "is not this entry's"),
    "of another device's pack": ((CELLAR.kid, 9, 9, 1), 1, "is not this entry's"),
    "of an alert": ((SHED.kid, 9, 9, 6), 6, "is not this entry's"),
    "of a change": ((SHED.kid, 9, 9, 0), 0, "is not this entry's"),
    "a change that is a pack": ((CHANGES_KID, 0, 3, 4), 4, "is not this entry's"),
    "a change twice": ((CHANGES_KID, 0, 3, 5), 5, "is not this entry's"),
    "changes out of order": ((CHANGES_KID, 0, 3, 0), 0, "is not this entry's"),
}


@pytest.mark.parametrize(("row", "named", "words"), WRONG.values(), ids=WRONG)
def test_a_number_that_points_elsewhere_is_named(gateway, row, named, words):
    put(gateway, *row)

    valid, first_bad, reason = found(gateway)

    assert (valid, first_bad) == (False, named)
    assert reason == f"the number {shown(*row[:3])} {words}"


def test_a_pack_that_has_not_taken_its_number_is_named(gateway):
    gateway.commit(Submission(SHED.submission(3).draft))  # as if it had none

    assert found(gateway) == (False, 7, f"it has not taken its number {shown(SHED.kid, 1, 3)}")


def test_a_pack_whose_number_is_another_packs_is_named(gateway):
    gateway.commit(Submission(SHED.submission(1).draft))

    assert found(gateway) == (False, 7, f"it has not taken its number {shown(SHED.kid, 1, 1)}")


@pytest.mark.parametrize("body", [b"", b"\x84", SHED.seal(3)[:28], b"\x85" + SHED.seal(3)[1:]])
def test_a_pack_that_is_no_envelope_is_named(gateway, body):
    gateway.commit(Submission(Draft("pack", "shed", body), Number(SHED.kid, 1, 3)))

    assert found(gateway) == (False, 7, "a pack that is no envelope")


def test_a_change_without_its_number_is_missed(gateway):
    gateway.commit(Submission(Draft("enrolled", "shed", b"3")))

    assert found(gateway) == (
        False,
        6,
        "3 changes of devices, and 2 of them are numbered",
    )


def test_deleted_packs_keep_their_numbers_and_the_ends_of_their_tags(gateway):
    pruning.commit(gateway.writer, Selection(0, 5), RETENTION)

    assert found(gateway) == (True, None, None)


def test_another_devices_number_on_a_deleted_pack_is_named(gateway):
    pruning.commit(gateway.writer, Selection(0, 5), RETENTION)
    put(gateway, CELLAR.kid, 9, 9, 1)

    assert found(gateway) == (
        False,
        1,
        f"the number {shown(CELLAR.kid, 9, 9)} is not this entry's",
    )


def test_a_deleted_pack_without_the_end_of_its_tag_is_named(gateway):
    gateway.store.transact(lambda t: t.delete_bodies(Selection(1, 2)))
    pruning.commit(gateway.writer, Selection(0, 3), RETENTION)

    assert found(gateway) == (False, 1, "of a deleted pack the end of its tag is missing")


def test_the_end_of_a_tag_that_belongs_to_no_entry_is_named(gateway):
    gateway.store.transact(lambda t: t.put_tails([(99, bytes(8))]))

    assert found(gateway) == (False, 99, "a tail that belongs to no entry")


@given(*[st.integers(0, (1 << 32) - 1)] * 2, st.binary(min_size=8, max_size=8), st.binary())
def test_a_number_is_read_from_where_every_envelope_has_it(epoch, sequence, kid, payload):
    key = envelope.direction_key(SHED.secret, UP)
    body = envelope.seal(key, UP, kid, epoch=epoch, sequence=sequence, payload=payload[:500])

    assert number_of(Entry(0, PACK, "", 0, b"", b"", b"", body)) == (kid, epoch, sequence)
