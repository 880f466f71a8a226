"""What becomes an entry, and what each submission hears."""

import pytest

from gateway.errors import ConflictError, IntegrityError
from gateway.ledger import pruning
from gateway.ledger.batch import ALERT, CARRIED, Kept, Number, Submission, plan
from gateway.ledger.log import Draft
from gateway.ledger.seen import Seen
from gateway.store import Selection
from protocol.prune import RETENTION
from tests.fakes import FakeDevice, FakeGateway

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")
UNNUMBERED = Submission(Draft("note", "me", b"x"))
NEW, REPEAT = (lambda index: Kept(index, repeat=False)), (lambda index: Kept(index, repeat=True))
CONFLICT = ConflictError


def other(sequence: int, value: int = 99) -> Submission:
    """The same number with other bytes."""
    return SHED.submission(sequence, value=value)


# on a ledger whose entries 0 and 1 are shed's sequences 0 and 1:
# submissions -> what each hears, kinds of the new entries
TABLE = {
    "nothing": ([], [], []),
    "new": ([SHED.submission(2)], [NEW(2)], ["pack"]),
    "two devices": ([SHED.submission(2), CELLAR.submission(2)], [NEW(2), NEW(3)], ["pack"] * 2),
    "no number": ([UNNUMBERED, UNNUMBERED], [NEW(2), NEW(3)], ["note"] * 2),
    "repeat": ([SHED.submission(1)], [REPEAT(1)], []),
    "repeat among new": (
        [SHED.submission(2), SHED.submission(0), SHED.submission(3)],
        [NEW(2), REPEAT(0), NEW(3)],
        ["pack"] * 2,
    ),
    "repeat inside": ([SHED.submission(2)] * 3, [NEW(2), REPEAT(2), REPEAT(2)], ["pack"]),
    "conflict": ([other(1)], [CONFLICT], [ALERT]),
    "conflict inside": ([SHED.submission(2), other(2)], [NEW(2), CONFLICT], ["pack", ALERT]),
    "conflict, then new": ([other(1), SHED.submission(2)], [CONFLICT, NEW(3)], [ALERT, "pack"]),
    "one alert a number": ([other(1), other(1), other(1, 98)], [CONFLICT] * 3, [ALERT]),
    "an alert a number": ([other(0), other(1)], [CONFLICT] * 2, [ALERT] * 2),
    "taken before this ledger": (
        [CELLAR.submission(7), CELLAR.submission(8)],
        [CONFLICT, NEW(3)],
        [ALERT, "pack"],
    ),
    "another epoch": ([SHED.submission(1, epoch=2)], [NEW(2)], ["pack"]),
}


@pytest.mark.parametrize(("submissions", "heard", "kinds"), TABLE.values(), ids=TABLE)
def test_each_submission_hears_what_became_of_it(submissions, heard, kinds):
    gateway = FakeGateway()
    gateway.fill(2, SHED)
    gateway.store.transact(lambda t: t.put_numbers([(CELLAR.kid, 1, 7, CARRIED)]))

    planned = gateway.store.read(lambda r: plan(submissions, 2, r, Seen(), set()))

    outcomes = [type(o) if isinstance(o, ConflictError) else o for o in planned.outcomes]
    assert outcomes == heard
    assert [draft.kind for draft in planned.drafts] == kinds


def test_the_evidence_is_in_the_alert_and_the_first_stays_what_it_was():
    gateway = FakeGateway()
    gateway.fill(2, SHED)

    planned = gateway.store.read(lambda r: plan([other(1)], 2, r, Seen(), set()))

    assert planned.drafts == [Draft(ALERT, "shed", other(1).draft.body)]
    assert planned.alerts == [Number(SHED.kid, 1, 1)]
    assert planned.numbers == {}
    assert str(planned.outcomes[0]) == "shed: epoch 1 sequence 1 is entry 1 with other bytes"


def test_a_conflict_that_is_in_the_log_already_leaves_no_second_alert():
    gateway = FakeGateway()
    gateway.fill(2, SHED)
    alerted = {Number(SHED.kid, 1, 1)}

    planned = gateway.store.read(lambda r: plan([other(1)], 2, r, Seen(), alerted))

    assert planned.drafts == []
    assert isinstance(planned.outcomes[0], ConflictError)


def test_a_repeat_of_a_deleted_body_is_still_a_repeat():
    gateway = FakeGateway()
    gateway.fill(2, SHED)
    pruning.commit(gateway.writer, Selection(0, 2), RETENTION)

    planned = gateway.store.read(
        lambda r: plan([SHED.submission(1), other(0)], 3, r, Seen(), set())
    )

    assert planned.outcomes[0] == REPEAT(1)
    assert isinstance(planned.outcomes[1], ConflictError)


def test_a_body_that_is_gone_without_a_trace_makes_no_repeat():
    gateway = FakeGateway()
    gateway.fill(1, SHED)
    gateway.store.transact(lambda tx: tx.delete_bodies(Selection(0, 1)))

    planned = gateway.store.read(lambda r: plan([SHED.submission(0)], 1, r, Seen(), set()))

    assert isinstance(planned.outcomes[0], ConflictError)


@pytest.mark.parametrize("damaged", [2, 3, 1 << 40, -9])
def test_a_damaged_number_is_told_to_who_has_it_and_stops_nobody_else(damaged):
    gateway = FakeGateway()
    gateway.fill(2, SHED)
    gateway.store.transact(lambda t: t.put_numbers([(CELLAR.kid, 1, 7, damaged)]))

    submissions = [CELLAR.submission(7), SHED.submission(2)]
    planned = gateway.store.read(lambda r: plan(submissions, 2, r, Seen(), set()))

    assert isinstance(planned.outcomes[0], IntegrityError)
    assert planned.outcomes[1:] == [NEW(2)]
    assert planned.alerts == []
