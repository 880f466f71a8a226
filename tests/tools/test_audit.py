"""The fast pass beside the reference: whatever was changed, both say the same of it."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.ledger.signer import verify_signature
from protocol import leaf as leaves
from protocol.audit import Audit
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError, TamperedError
from protocol.leaf import LONG_TIME_MS, Leaf
from protocol.merkle import Frontier, leaf_hash
from protocol.rulings import Rulings
from tools.audit import Recount

SALT = bytes(range(16))
NOW_MS = 1_790_000_000_000


def ledger_of(shapes):
    """Rows of entries of (kind, source, ms, clock, is the body there)."""
    rows, audit = [], Audit()
    for index, (kind, source, ms, clock, there) in enumerate(shapes):
        body = b"%d" % index
        data = leaves.encode(Leaf(kind, ms, clock, source, leaves.hash_body(SALT, body)))
        audit.add(data, SALT, body)
        salt, body = (SALT, body) if there else (b"", None)
        rows.append((index, kind.encode(), source.encode(), ms, data, audit.chain, salt, body))
    return rows


def no_rulings(is_copy=False):
    return Rulings(lambda start, stop: [], verify_signature, is_copy=is_copy)


def in_pages(rows, size):
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def fast(rows, marks, page):
    recount = Recount(no_rulings())

    def run():
        for mark in marks:
            recount.expect(mark)
        for some in in_pages(rows, page):
            recount.add(some)

    return outcome_of(run, recount)


def slow(rows, marks):
    """protocol.audit, an entry at a time."""
    audit, rulings = Audit(), no_rulings()

    def run():
        for mark in marks:
            audit.expect(mark)
        for index, kind, source, ms, data, chained, salt, body in rows:
            if index != audit.size:
                raise TamperedError(audit.size, "the entry is missing")
            fields = leaves.decode(data)
            told = fields.kind.encode(), fields.source.encode(), fields.received_ms
            if told != (kind, source, ms):
                raise TamperedError(index, "kind, source or time beside the leaf was changed")
            audit.add(data, salt, body, chained)
            rulings.check_body(index, fields.kind, fields.source, is_there=body is not None)

    return outcome_of(run, audit)


def outcome_of(work, audit):
    try:
        work()
    except TamperedError as error:
        return error.index, error.what
    except ProtocolError as error:
        return audit.size, str(error)
    return audit.size, audit.chain, audit.root()


shapes = st.lists(
    st.tuples(
        st.sampled_from(["pack", "alert", "k\u00fcche"]),
        st.sampled_from(["shed", "cellar", ""]),
        st.sampled_from([0, 23, LONG_TIME_MS - 1, LONG_TIME_MS, NOW_MS, (1 << 63) - 1]),
        st.integers(0, 1),
        st.booleans() | st.just(True),
    ),
    max_size=40,
)


@given(shapes, st.integers(1, 50))
def test_a_true_ledger_of_any_shape_is_recounted(made, page):
    rows = ledger_of(made)

    assert fast(rows, [], page) == slow(rows, [])


def changed(rows, index, column, dice):
    """One stored value of one row changed, in any way its column's type allows."""
    row = list(rows[index])
    value = row[column]
    if isinstance(value, int):
        row[column] = dice.choice(
            [value + 1, value - 1, -value, 0, value ^ 1 << dice.randrange(60)]
        )
    elif value is not None:
        at = dice.randrange(len(value) + 1)
        row[column] = dice.choice(
            [
                value[:at],
                value[:at] + bytes([dice.randrange(256)]) + value[at:],
                value[:at] + bytes([value[at] ^ 1 << dice.randrange(8)]) + value[at + 1 :]
                if at < len(value)
                else b"",
            ]
        )
    return [*rows[:index], tuple(row), *rows[index + 1 :]]


@settings(max_examples=400)
@given(shapes.filter(len), st.integers(0, 7), st.integers(1, 50), st.randoms(use_true_random=False))
@example([("pack", "shed", NOW_MS, 1, True)] * 3, 6, 3, random.Random(1))
def test_whatever_was_changed_both_name_the_same_entry_in_the_same_words(made, column, page, dice):
    rows = ledger_of(made)
    rows = changed(rows, dice.randrange(len(rows)), column, dice)

    assert fast(rows, [], page) == slow(rows, [])


@given(shapes, st.data())
def test_checkpoints_are_compared_at_their_sizes(made, data):
    rows = ledger_of([(*shape[:4], True) for shape in made])
    sizes = data.draw(st.lists(st.integers(0, len(rows)), max_size=4))
    marks = [Checkpoint("o", size, root_of(rows[:size])) for size in sizes]
    wrong = data.draw(st.integers(0, len(rows)))
    marks += data.draw(st.sampled_from([[], [Checkpoint("o", wrong, bytes(32))]]))

    assert fast(rows, marks, 16) == slow(rows, marks)


def root_of(rows):
    frontier = Frontier()
    for row in rows:
        frontier.add(leaf_hash(row[4]))
    return frontier.root()


@pytest.fixture(scope="module")
def long_ledger():
    return ledger_of([("pack", "shed", NOW_MS, 1, True)] * 65_537)


@pytest.mark.parametrize(
    "size", [255, 256, 257, 511, 512, pytest.param(65_535, marks=pytest.mark.slow), 65_536, 65_537]
)
def test_the_root_and_the_stored_hashes_are_those_of_the_tree(long_ledger, size):
    rows = long_ledger[:size]
    recount = Recount(no_rulings())

    for page in in_pages(rows, 1000):
        recount.add(page)

    nodes = recount.take_nodes()
    assert recount.root() == root_of(rows)
    assert [node[:2] for node in nodes if node[0] == 8] == [(8, n) for n in range(size // 256)]
    assert [node[:2] for node in nodes if node[0] == 16] == [(16, n) for n in range(size // 65_536)]
    assert all(value == root_of(rows[n << level :][: 1 << level]) for level, n, value in nodes)
    assert recount.take_nodes() == []


def test_more_kinds_and_sources_than_it_remembers_are_recounted():
    rows = ledger_of([("pack", str(n % 5000), NOW_MS, 1, True) for n in range(10_000)])

    assert fast(rows, [], 256) == slow(rows, [])


def test_a_copy_may_lack_bodies_before_it_is_told_why():
    rows = ledger_of([("pack", "shed", NOW_MS, 1, n % 2 == 0) for n in range(20)])
    rulings = no_rulings(is_copy=True)
    recount = Recount(rulings)

    recount.add(rows)

    assert (recount.size, recount.missing, rulings.untold) == (20, 10, 10)
