"""What becomes of a wish to change a resource, alone and among others of its batch."""

import pytest

from gateway.errors import (
    GatewayError,
    IntegrityError,
    NotFoundError,
    PreconditionError,
    UnsupportedFormatError,
)
from gateway.ledger.batch import Applied, Kept
from gateway.ledger.changes import TOTALS, Conditions, Totals
from gateway.ledger.contents import assembled
from gateway.store import Part
from protocol import resource
from protocol.merkle import leaf_hash
from protocol.resource import Change
from tests.fakes import FakeDevice, FakeGateway
from tests.gateway.resourceful import delete, post, put

PATH = "home/lamp"
EXISTS, MISSING = Conditions(must_exist=True), Conditions(must_not_exist=True)


@pytest.fixture
def gateway(store):
    return FakeGateway(store)


def content(gateway, path=PATH):
    return gateway.store.read(lambda r: assembled(path, r.parts.of(path)))


def replayed(gateway, path=PATH):
    """The changes of a path as an auditor finds them, by their source alone."""
    entries = gateway.store.read(lambda r: r.entries(0, gateway.writer.size))
    return [(e.index, resource.decode(e.kind, e.body)) for e in entries if e.source == path]


def etag_of(gateway, index):
    (leaf,) = gateway.store.read(lambda r: r.leaves(index, index + 1))
    return leaf_hash(leaf)


def heard(outcome):
    if isinstance(outcome, GatewayError):
        return type(outcome)
    return outcome.index, outcome.created, outcome.superseded


# submissions, in one batch and each in its own -> what each hears, what there is in the end
RUNS = {
    "put": ([put(PATH, b"on")], [(0, True, None)], b"on"),
    "put twice": ([put(PATH, b"on"), put(PATH, b"off")], [(0, True, None), (1, False, 0)], b"off"),
    "post creates": ([post(PATH, b"a")], [(0, True, None)], b"a"),
    "post appends": (
        [put(PATH, b"a"), post(PATH, b"b"), post(PATH, b""), post(PATH, b"c")],
        [(0, True, None), (1, False, None), (2, False, None), (3, False, None)],
        b"abc",
    ),
    "put over what was appended": (
        [post(PATH, b"a"), post(PATH, b"b"), put(PATH, b"c"), post(PATH, b"d")],
        [(0, True, None), (1, False, None), (2, False, 0), (3, False, None)],
        b"cd",
    ),
    "delete": ([put(PATH), delete(PATH)], [(0, True, None), (1, False, 0)], None),
    "delete of nothing": ([delete(PATH)], [NotFoundError], None),
    "delete twice": (
        [put(PATH), delete(PATH), delete(PATH)],
        [(0, True, None), (1, False, 0), NotFoundError],
        None,
    ),
    "recreated": (
        [put(PATH, b"a"), delete(PATH), put(PATH, b"a")],
        [(0, True, None), (1, False, 0), (2, True, None)],
        b"a",
    ),
    "appended to after a delete": (
        [put(PATH, b"a"), delete(PATH), post(PATH, b"b")],
        [(0, True, None), (1, False, 0), (2, True, None)],
        b"b",
    ),
    "create only": (
        [put(PATH, b"a", conditions=MISSING), put(PATH, b"b", conditions=MISSING)],
        [(0, True, None), PreconditionError],
        b"a",
    ),
    "must exist": (
        [put(PATH, conditions=EXISTS), put(PATH, b"a"), put(PATH, b"b", conditions=EXISTS)],
        [PreconditionError, (0, True, None), (1, False, 0)],
        b"b",
    ),
    "delete that must exist": ([delete(PATH, conditions=EXISTS)], [PreconditionError], None),
    "an ETag of nothing": (
        [put(PATH, conditions=Conditions(if_match=(bytes(8),)))],
        [PreconditionError],
        None,
    ),
    "an ETag nobody has heard of": (
        [put(PATH), put(PATH, conditions=Conditions(if_match=(b"", bytes(8), bytes(32))))],
        [(0, True, None), PreconditionError],
        b"x",
    ),
    "a format is kept": (
        [put(PATH, b"1", 0), post(PATH, b"2"), post(PATH, b"3", 0), post(PATH, b"4", 60)],
        [(0, True, None), (1, False, None), (2, False, None), UnsupportedFormatError],
        b"123",
    ),
    "two paths": (
        [put(PATH, b"a"), put("etc/x", b"b"), post(PATH, b"c")],
        [(0, True, None), (1, True, None), (2, False, None)],
        b"ac",
    ),
}


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one by one"])
@pytest.mark.parametrize(("submissions", "outcomes", "last"), RUNS.values(), ids=RUNS)
def test_a_change_is_decided_by_what_the_path_is_then(
    gateway, submissions, outcomes, last, together
):
    batches = [submissions] if together else [[one] for one in submissions]

    answers = [answer for batch in batches for answer in gateway.commit(*batch)]

    assert [heard(answer) for answer in answers] == outcomes
    if last is None:
        with pytest.raises(NotFoundError):
            content(gateway)
    else:
        assert content(gateway).content == last
    assert gateway.store.read(Totals.read) == counted(gateway)


def counted(gateway):
    lasts = gateway.store.read(lambda r: r.parts.lasts("", "", 99))
    return Totals(len(lasts), sum(part.size_bytes for part in lasts))


def test_an_etag_is_the_leaf_hash_of_the_last_change(gateway):
    answers = gateway.commit(put(PATH, b"a"), post(PATH, b"b"), put("etc/x"), delete("etc/x"))

    assert [answer.etag for answer in answers] == [*(etag_of(gateway, n) for n in (0, 1, 2)), None]
    assert content(gateway).etag == etag_of(gateway, 1)


def test_the_same_content_in_another_life_has_another_etag(gateway):
    (first,) = gateway.commit(put(PATH, b"a"))
    gateway.commit(delete(PATH))
    (second,) = gateway.commit(put(PATH, b"a"))

    (answer,) = gateway.commit(put(PATH, b"b", conditions=Conditions(if_match=(first.etag,))))

    assert first.etag[:8] != second.etag[:8]
    assert isinstance(answer, PreconditionError)


@pytest.mark.parametrize("length", [8, 32])
def test_whoever_knows_the_etag_may_change_it_once(gateway, length):
    (first,) = gateway.commit(put(PATH, b"0"))
    known = Conditions(if_match=(b"another ETag", first.etag[:length]))

    answers = gateway.commit(*(put(PATH, b"%d" % n, conditions=known) for n in range(3)))

    assert [type(answer) for answer in answers] == [Applied, PreconditionError, PreconditionError]
    assert content(gateway).content == b"0"


@pytest.mark.parametrize("length", [0, 1, 7, 9, 31])
def test_a_part_of_an_etag_is_none(gateway, length):
    (first,) = gateway.commit(put(PATH))

    (answer,) = gateway.commit(put(PATH, conditions=Conditions(if_match=(first.etag[:length],))))

    assert isinstance(answer, PreconditionError)


def test_the_entries_of_a_path_tell_its_whole_history(gateway):
    gateway.commit(put(PATH, b"a", 0), put("etc/x"), post(PATH, b"b", who="shed"))
    gateway.commit(delete(PATH), FakeDevice().submission(0), post(PATH, b"c"))

    assert replayed(gateway) == [
        (0, Change("put", "@ci", b"a", 0, None)),
        (2, Change("post", "shed", b"b", None, 0)),
        (3, Change("delete", "@ci", None, None, 2)),
        (5, Change("post", "@ci", b"c", None, None)),
    ]


def test_changes_stand_between_packs_and_their_alerts(gateway):
    shed = FakeDevice()
    gateway.commit(shed.submission(0))

    answers = gateway.commit(
        shed.submission(0), shed.submission(0, value=9), put(PATH, b"a"), shed.submission(1)
    )

    assert answers[0] == Kept(0, repeat=True)
    assert (answers[2].index, answers[3]) == (2, Kept(3, repeat=False))
    assert content(gateway).content == b"a"


def test_a_batch_without_a_change_reads_and_writes_nothing_of_resources(gateway):
    gateway.commit(FakeDevice().submission(0))

    assert gateway.store.read(lambda r: r.state(TOTALS)) is None


def test_a_batch_that_is_not_kept_changes_no_resource(gateway):
    gateway.commit(put(PATH, b"a"))

    def fail(_):
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        gateway.writer.commit_with(lambda t: fail(t.parts.drop(PATH)), {})

    assert content(gateway).content == b"a"


@pytest.mark.parametrize("astray", [1, 2, 3, 99, -1])
def test_a_path_that_leads_astray_is_told_and_stops_nobody_else(gateway, astray):
    gateway.commit(put(PATH), FakeDevice().submission(0), put("etc/x"), delete("etc/x"))
    gateway.store.transact(lambda t: t.parts.drop(PATH))
    gateway.store.transact(lambda t: t.parts.put(Part(PATH, 0, astray, 1, None, astray)))

    answers = gateway.commit(put(PATH), put("home/other"))

    assert [type(answer) for answer in answers] == [IntegrityError, Applied]
    assert answers[0].index == astray


def test_a_leaf_that_is_none_is_told(gateway):
    gateway.commit(put(PATH))
    (entry,) = gateway.store.read(lambda r: r.entries(0, 1))
    damaged = type(entry)(1, "put", PATH, 0, b"no leaf", b"", b"", b"")
    gateway.store.transact(lambda t: t.append([damaged]))
    gateway.store.transact(lambda t: t.parts.put(Part(PATH, 1, 1, 1, None, 0)))
    gateway.writer = gateway.new_writer()

    (answer,) = gateway.commit(put(PATH))

    assert isinstance(answer, IntegrityError)


def test_damaged_totals_are_told(gateway):
    gateway.store.transact(lambda t: t.put_state(TOTALS, b"nonsense"))

    (answer,) = gateway.commit(put(PATH))

    assert (type(answer), answer.one) == (IntegrityError, False)
