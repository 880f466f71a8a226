"""What every store promises. Each test runs on each store."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store import Entry, Query
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SqliteStore

KINDS, SOURCES = ("pack", "alert", "enrolled"), ("shed", "cellar")
MAX_INDEX = (1 << 63) - 2


def entry(index: int, kind: str = "pack", source: str = "shed", received_ms: int = 0) -> Entry:
    return Entry(index, kind, source, received_ms, b"leaf%d" % index, b"chain", b"salt", b"body")


def variety(count: int) -> list[Entry]:
    return [entry(n, KINDS[n % 3], SOURCES[n % 2], 100 + n) for n in range(count)]


def appended(store, entries):
    store.transact(lambda tx: tx.append(entries))
    return store


def test_what_is_put_is_there_afterwards(store):
    def put(tx):
        tx.append([entry(0), entry(1)])
        tx.put_node((8, 3), b"h" * 32)
        tx.put_numbers([(b"kid", 1, 2, 0)])
        tx.put_state("cursor", b"7")

    store.transact(put)

    assert store.read(lambda r: r.last()) == entry(1)
    assert store.read(lambda r: r.entries(0, 9)) == [entry(0), entry(1)]
    assert store.read(lambda r: r.nodes(8, 0, 9)) == [b"h" * 32]
    assert store.read(lambda r: r.number(b"kid", 1, 2)) == 0
    assert store.read(lambda r: r.state("cursor")) == b"7"


def test_leaves_are_read_without_the_rest_of_their_entries(store):
    appended(store, variety(5))

    assert store.read(lambda r: r.leaves(1, 4)) == [b"leaf1", b"leaf2", b"leaf3"]
    assert store.read(lambda r: r.leaves(4, 9)) == [b"leaf4"]
    assert store.read(lambda r: r.leaves(5, 9)) == []


def test_an_empty_store_has_nothing(store):
    seen = store.read(
        lambda r: (r.last(), r.entries(0, 9), r.nodes(8, 0, 9), r.number(b"k", 0, 0), r.state("x"))
    )

    assert seen == (None, [], [], None, None)


def test_a_deleted_body_stays_deleted(store):
    gone = Entry(0, "pack", "shed", 1, b"leaf", b"chain", b"salt", None)

    appended(store, [gone])

    assert store.read(lambda r: r.last()).body is None


def test_nothing_is_kept_of_a_transaction_that_raises(store):
    def put_and_fail(tx):
        tx.append([entry(0)])
        tx.put_node((8, 0), b"h" * 32)
        tx.put_numbers([(b"kid", 1, 2, 0)])
        tx.put_state("cursor", b"7")
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        store.transact(put_and_fail)

    test_an_empty_store_has_nothing(store)
    assert appended(store, [entry(0)]).read(lambda r: r.last()) == entry(0)


def test_a_transaction_sees_what_it_has_put_itself(store):
    def work(tx):
        tx.append([entry(0)])
        tx.put_numbers([(b"kid", 1, 2, 0)])
        tx.put_state("cursor", b"7")
        return tx.last(), tx.number(b"kid", 1, 2), tx.state("cursor")

    assert store.transact(work) == (entry(0), 0, b"7")


def test_a_read_sees_one_view_whatever_is_committed_meanwhile(store):
    appended(store, [entry(0)])

    def look_twice(reader):
        first = len(reader.entries(0, 9))
        appended(store, [entry(1)])
        return first, len(reader.entries(0, 9)), reader.last().index

    assert store.read(look_twice) == (1, 1, 0)
    assert store.read(lambda r: r.last().index) == 1


@pytest.mark.parametrize(
    ("start", "stop", "indexes"),
    [(0, 3, [0, 1, 2]), (1, 2, [1]), (2, 99, [2]), (3, 9, []), (2, 1, []), (-1, 1, [0])],
)
def test_entries_are_those_from_start_to_before_stop(store, start, stop, indexes):
    appended(store, variety(3))

    assert [e.index for e in store.read(lambda r: r.entries(start, stop))] == indexes


FILTERS = [
    (Query(), range(12)),
    (Query(after=4), range(5, 12)),
    (Query(kind="alert"), [1, 4, 7, 10]),
    (Query(source="cellar"), [1, 3, 5, 7, 9, 11]),
    (Query(kind="alert", source="cellar"), [1, 7]),
    (Query(since_ms=110), [10, 11]),
    (Query(until_ms=102), [0, 1]),
    (Query(since_ms=103, until_ms=106, kind="pack"), [3]),
    (Query(kind="nothing"), []),
    (Query(source=""), []),
    (Query(after=11), []),
    (Query(after=MAX_INDEX), []),
    (Query(limit=2), [0, 1]),
    (Query(scan=3, kind="enrolled"), [2]),
]


@pytest.mark.parametrize(("query", "indexes"), FILTERS, ids=lambda value: repr(value)[:60])
def test_select_finds_what_matches_in_order(store, query, indexes):
    appended(store, variety(12))

    assert [e.index for e in store.read(lambda r: r.select(query)).entries] == list(indexes)


AFTERS = [
    (Query(limit=2), 1),
    (Query(limit=12), 11),
    (Query(limit=13), 11),
    (Query(scan=5, kind="nothing"), 4),
    (Query(after=4, scan=5, kind="nothing"), 9),
    (Query(after=4, scan=50, kind="nothing"), 11),
    (Query(after=40), 40),
]


@pytest.mark.parametrize(("query", "next_after"), AFTERS, ids=lambda value: repr(value)[:60])
def test_select_says_where_the_next_page_begins(store, query, next_after):
    appended(store, variety(12))

    assert store.read(lambda r: r.select(query)).next_after == next_after


@pytest.mark.parametrize(
    ("max_bytes", "count"), [(1, 1), (4, 1), (5, 2), (8, 2), (16, 4), (4 * 12, 12), (1000, 12)]
)
def test_select_ends_behind_the_body_that_is_enough(store, max_bytes, count):
    appended(store, variety(12))

    page = store.read(lambda r: r.select(Query(max_bytes=max_bytes)))

    assert [e.index for e in page.entries] == list(range(count))
    assert page.next_after == count - 1


def test_select_in_an_empty_store_stays_where_it_was(store):
    assert store.read(lambda r: r.select(Query())).next_after == -1


def paged(store, query):
    """Every index found by following next_after to the end."""
    found, size = [], len(store.read(lambda r: r.entries(0, 1000)))
    while query.after < size - 1:
        page = store.read(lambda r, q=query: r.select(q))
        assert page.next_after > query.after
        found += [e.index for e in page.entries]
        query = query._replace(after=page.next_after)
    return found


QUERIES = st.fixed_dictionaries(
    {
        "limit": st.integers(1, 9),
        "scan": st.integers(1, 9),
        "kind": st.sampled_from([None, *KINDS]),
        "source": st.sampled_from([None, *SOURCES]),
    }
).map(lambda fields: Query(**fields))


@pytest.mark.parametrize("kind_of_store", ["memory", "sqlite"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(size=st.integers(0, 40), query=QUERIES)
def test_paging_misses_nothing_and_repeats_nothing(tmp_path_factory, kind_of_store, size, query):
    fresh = tmp_path_factory.mktemp("store") / "ledger.sqlite"
    store = MemoryStore() if kind_of_store == "memory" else SqliteStore(fresh, create=True)
    appended(store, variety(size))

    found = paged(store, query)

    store.close()
    wanted = [
        e.index
        for e in variety(size)
        if query.kind in (None, e.kind) and query.source in (None, e.source)
    ]
    assert found == wanted


def test_numbers_are_apart_by_kid_epoch_and_sequence(store):
    names = [(b"a", 1, 1), (b"a", 1, 2), (b"a", 2, 1), (b"b", 1, 1), (b"a", 2**32 - 1, 2**32 - 1)]

    store.transact(lambda tx: [tx.put_numbers([(*name, n)]) for n, name in enumerate(names)])

    assert [store.read(lambda r, x=name: r.number(*x)) for name in names] == [0, 1, 2, 3, 4]


def test_nodes_come_in_order_and_by_level(store):
    def put(tx):
        for n in (2, 0, 1):
            tx.put_node((8, n), bytes([n]))
        tx.put_node((16, 0), b"above")

    store.transact(put)

    assert store.read(lambda r: r.nodes(8, 0, 3)) == [b"\0", b"\1", b"\2"]
    assert store.read(lambda r: r.nodes(8, 1, 2)) == [b"\1"]
    assert store.read(lambda r: r.nodes(16, 0, 9)) == [b"above"]


def test_a_state_is_replaced(store):
    for value in (b"1", b"2"):
        store.transact(lambda tx, v=value: tx.put_state("cursor", v))

    assert store.read(lambda r: r.state("cursor")) == b"2"
