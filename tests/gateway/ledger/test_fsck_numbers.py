"""fsck on the table that says who is told "kept": numbers, changes of members, ends of tags."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import damage, fsck, pruning
from gateway.ledger.batch import CARRIED, CHANGES_KID, FAULTS_KID, PACK, Number, Submission
from gateway.ledger.fsck import Options
from gateway.ledger.fsck_numbers import number_of
from gateway.ledger.log import Draft
from gateway.store import Entry, Selection
from protocol import envelope, recovery
from protocol import fault as faults
from protocol.envelope import UP
from protocol.fault import FAULT, STORE_FULL, Fault
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
    gateway.store.transact(lambda t: t.put_numbers([(kid, epoch, sequence, index)]))


@pytest.fixture
def behind(gateway):
    """Does to the disk what nobody does through a store: (SQL, and the same in memory)."""

    def change(sql, values, in_memory):
        data = getattr(gateway.store, "_data", None)
        if data is not None:
            in_memory(data)
        else:
            gateway.store.transact(lambda t: list(t._execute(sql, values)))

    return change


@pytest.fixture
def forget(behind):
    def forget(*number):
        sql = "DELETE FROM numbers WHERE kid = ? AND epoch = ? AND sequence = ?"
        behind(sql, number, lambda data: data._numbers.pop(number))

    return forget


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
    put(gateway, b"any kid.", 0, 7, CARRIED)
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
    "of a kid that is none": ((b"7 bytes", 9, 9, 1), 1, "is nobody's"),
    "of a kid that is none, from before": ((b"7 bytes", 9, 9, CARRIED), 0, "is nobody's"),
    "a fault of a pack": ((FAULTS_KID, 0, 1, 1), 1, "is not this entry's"),
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

    assert found(gateway) == (False, 1, "of a deleted pack its end is missing")


def test_the_end_of_a_tag_that_belongs_to_no_entry_is_named(gateway):
    gateway.store.transact(lambda t: t.put_tails([(99, bytes(8))]))

    assert found(gateway) == (False, 99, "a tail that belongs to no entry")


def test_a_number_of_a_deleted_pack_that_is_gone_is_missed(gateway, forget):
    pruning.commit(gateway.writer, Selection(0, 5), RETENTION)
    forget(SHED.kid, 1, 2)

    assert found(gateway) == (False, None, "4 entries have a number, and 3 are taken")


def test_a_second_number_on_a_deleted_pack_is_one_too_many(gateway):
    pruning.commit(gateway.writer, Selection(0, 5), RETENTION)
    put(gateway, SHED.kid, 9, 9, 1)

    assert found(gateway) == (False, None, "4 entries have a number, and 5 are taken")


def test_two_numbers_on_a_deleted_pack_and_none_on_another_are_noticed(gateway, forget):
    pruning.commit(gateway.writer, Selection(0, 5), RETENTION)
    forget(SHED.kid, 1, 2)
    put(gateway, SHED.kid, 1, 2, 1)

    what = "two numbers are of the same deleted entry, and another has none"
    assert found(gateway) == (False, None, what)


@pytest.mark.parametrize("index", [0, 1, 6])
def test_the_end_of_a_tag_beside_what_is_no_deleted_pack_is_named_and_a_prune_takes_it(
    gateway, index
):
    gateway.store.transact(lambda t: t.put_tails([(index, bytes(8))]))

    before = found(gateway)
    pruning.commit(gateway.writer, Selection(1, 3), RETENTION)

    what = "the end of a body is kept, and it is no deleted pack or change"
    assert before == (False, index, what)
    assert found(gateway)[0] == (index == 1)


def test_a_damaged_pack_shorter_than_the_end_of_a_tag_can_be_deleted(gateway, behind):
    def shorten(data):
        data._entries[1] = msgspec.structs.replace(data._entries[1], body=b"evil")

    behind("UPDATE bodies SET body = ? WHERE idx = 1", (b"evil",), shorten)

    pruning.commit(gateway.writer, Selection(1, 2), RETENTION)

    assert gateway.store.read(lambda r: r.tail(1)) == bytes(4) + b"evil"
    assert found(gateway) == (True, None, None)


def test_numbers_that_are_taken_meanwhile_are_of_what_is_checked_next_time(gateway):
    def meanwhile(done, total):
        gateway.commit(SHED.submission(100), change(3))  # again each time: repeats

    report = fsck.check(gateway.store, ORIGIN, gateway.sign(), Options(progress=meanwhile))

    assert (report.valid, report.entries) == (True, 7)


# --- what damage was found ------------------------------------------------------------------


def test_damage_that_was_told_has_taken_its_number(gateway):
    gateway.commit(damage.record(3), damage.record(damage.TREE))

    assert found(gateway) == (True, None, None)


def test_damage_that_was_told_and_has_no_number_is_missed(gateway):
    gateway.commit(Submission(damage.record(3).draft))

    assert found(gateway) == (False, None, "5 entries have a number, and 4 are taken")


NOT_ITS = [(0, 4), (1, 0), (1, 3), (2, 3)]


@pytest.mark.parametrize(("epoch", "sequence"), NOT_ITS)
def test_a_fault_whose_number_is_of_other_damage_is_named(gateway, epoch, sequence):
    gateway.commit(Submission(damage.record(3).draft, Number(FAULTS_KID, epoch, sequence)))

    assert found(gateway)[:2] == (False, 7)


@pytest.mark.parametrize("body", [b"", faults.encode(Fault(STORE_FULL, "full", None))])
def test_faults_of_other_kinds_have_no_number(gateway, body):
    gateway.commit(Submission(Draft(FAULT, "", body)))
    sound = found(gateway)
    put(gateway, FAULTS_KID, 0, 3, 7)

    assert sound == (True, None, None)
    assert found(gateway)[:2] == (False, 7)


@given(*[st.integers(0, (1 << 32) - 1)] * 2, st.binary(min_size=8, max_size=8), st.binary())
def test_a_number_is_read_from_where_every_envelope_has_it(epoch, sequence, kid, payload):
    key = envelope.direction_key(SHED.secret, UP)
    body = envelope.seal(key, UP, kid, epoch=epoch, sequence=sequence, payload=payload[:500])

    assert number_of(Entry(0, PACK, "", 0, b"", b"", b"", body)) == (kid, epoch, sequence)
