"""What every store promises of the parts that resources consist of."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ConfigError, IntegrityError
from gateway.store import Entry, Held, Part, Selection
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SqliteReader, SqliteStore, looking_at

SAID = [("pack", "shed"), ("put", "home/a"), ("put", "home/b"), ("post", "home/a")]
SAID += [("put", "home/a"), ("put", "etc/\u4e16")]
ENTRIES = [
    Entry(n, kind, source, 5, b"leaf%d" % n, b"chain", b"salt", b"body%d" % n)
    for n, (kind, source) in enumerate(SAID)
]
A = [Part("home/a", 0, 1, 3, 0, 1), Part("home/a", 1, 3, 7, 0, 1), Part("home/a", 2, 4, 7, 0, 1)]
B = Part("home/b", 0, 2, 9, None, 2)
C = Part("etc/\u4e16", 0, 5, 0, 60, 5)


@pytest.fixture
def filled(store):
    def put(tx):
        tx.append(ENTRIES)
        for part in (A[0], B, A[1], A[2], C):
            tx.parts.put(part)

    store.transact(put)
    return store


def asked(store, name, *arguments):
    return store.read(lambda reader: getattr(reader.parts, name)(*arguments))


def test_the_last_part_is_what_a_resource_is_now(filled):
    assert asked(filled, "last", "home/a") == A[2]
    assert asked(filled, "last", "etc/\u4e16") == C
    assert asked(filled, "last", "home") is None


def test_all_parts_of_a_resource_come_in_order_with_their_entries(filled):
    assert asked(filled, "of", "home/a") == [Held(part, ENTRIES[part.at]) for part in A]
    assert asked(filled, "of", "home/c") == []


def test_what_is_dropped_is_gone_and_the_rest_is_not(filled):
    filled.transact(lambda tx: tx.parts.drop("home/a"))
    filled.transact(lambda tx: tx.parts.drop("home/nothing"))

    assert asked(filled, "last", "home/a") is None
    assert asked(filled, "of", "home/a") == []
    assert asked(filled, "all", None, 9) == [Held(C, ENTRIES[5]), Held(B, ENTRIES[2])]


def test_a_transaction_sees_the_parts_that_it_has_put(store):
    def work(tx):
        tx.parts.put(B)
        seen = tx.parts.last("home/b")
        tx.parts.drop("home/b")
        return seen, tx.parts.last("home/b")

    assert store.transact(work) == (B, None)


def test_nothing_of_the_parts_is_kept_of_a_transaction_that_raises(filled):
    def put_and_fail(tx):
        tx.parts.drop("home/a")
        tx.parts.put(Part("home/c", 0, 0, 0, None, 0))
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        filled.transact(put_and_fail)

    assert asked(filled, "last", "home/a") == A[2]
    assert asked(filled, "last", "home/c") is None


LISTED = [
    (("", "", 9), [C, A[2], B]),
    (("", "", 2), [C, A[2]]),
    (("", "home/", 9), [A[2], B]),
    (("home/a", "home/", 9), [B]),
    (("home/a", "", 9), [B]),
    (("home/b", "", 9), []),
    (("", "etc/\u4e16", 9), [C]),
    (("", "home/a/", 9), []),
]


@pytest.mark.parametrize(("asked_for", "found"), LISTED)
def test_resources_are_listed_in_order_behind_a_path_and_under_a_prefix(filled, asked_for, found):
    assert asked(filled, "lasts", *asked_for) == found


def test_all_parts_are_paged_through_in_order(filled):
    found, after = [], None
    while page := asked(filled, "all", after, 2):
        found += [held.part for held in page]
        after = page[-1].part[:2]

    assert found == [C, *A, B]


AMONG = [
    (Selection(0, 9), [1, 2, 3, 4, 5]),
    (Selection(2, 4), [2, 3]),
    (Selection(0, 9, kind="post"), [3]),
    (Selection(0, 9, source="home/a"), [1, 3, 4]),
    (Selection(0, 9, kind="put", source="home/a"), [1, 4]),
    (Selection(6, 9), []),
]


@pytest.mark.parametrize(("selection", "found"), AMONG)
def test_the_selected_entries_that_are_parts_are_named(filled, selection, found):
    assert asked(filled, "among", selection) == found


def test_an_entry_that_another_path_leads_to_is_no_part(filled):
    filled.transact(lambda tx: tx.parts.put(Part("var/x", 0, 0, 1, None, 0)))
    filled.transact(lambda tx: tx.parts.put(Part("var/y", 0, 99, 1, None, 99)))

    assert asked(filled, "among", Selection(0, 999)) == [1, 2, 3, 4, 5]


def test_a_part_that_points_at_no_entry_is_shown_without_one(filled):
    astray = [Part("var/x", 0, 99, 1, None, 99), Part("var/y", 0, -1, 1, None, -1)]
    filled.transact(lambda tx: [tx.parts.put(part) for part in astray])

    assert asked(filled, "of", "var/x") == [Held(astray[0], None)]
    assert asked(filled, "all", ("home/b", 0), 9) == [Held(part, None) for part in astray]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc\u00e9\u4e16\U0001f600"), st.booleans()), max_size=20)
)
def test_both_stores_hold_the_same_parts(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("store") / "ledger.sqlite"
    stores = [MemoryStore(), SqliteStore(path, create=True)]

    for at, (name, drops) in enumerate(steps):
        for store in stores:
            store.transact(lambda tx, n=name, a=at, d=drops: _step(tx.parts, n, a, drops=d))

    held = [[asked(s, "all", None, 99), asked(s, "lasts", "", "", 99)] for s in stores]
    stores[1].close()
    assert held[0] == held[1]


def _step(parts, name, at, *, drops):
    last = parts.last(name)
    if drops:
        parts.drop(name)
    elif last:
        parts.put(last._replace(position=last.position + 1, at=at))
    else:
        parts.put(Part(name, 0, at, 0, None, at))


def made_by_version_1(path):
    """A ledger as the version before this one made it, with an entry."""
    store = SqliteStore(path, create=True)
    store.transact(lambda tx: tx.append(ENTRIES[:1]))
    store.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE resources")
        database.execute("PRAGMA user_version = 1")
    database.close()


def test_a_ledger_of_the_version_before_gets_its_table_when_it_is_opened(tmp_path):
    path = tmp_path / "ledger.sqlite"
    made_by_version_1(path)

    for at in range(2):
        store = SqliteStore(path)
        store.transact(lambda tx, at=at: tx.parts.put(Part(f"home/{at}", 0, 0, 0, None, 0)))
        listed = asked(store, "lasts", "", "", 9)
        kept = store.read(lambda reader: reader.last())
        store.close()

    assert [part.path for part in listed] == ["home/0", "home/1"]
    assert kept == ENTRIES[0]


@pytest.mark.parametrize("opened", ["reader", "looking"])
def test_a_ledger_of_the_version_before_is_read_as_it_is(tmp_path, opened):
    path = tmp_path / "ledger.sqlite"
    made_by_version_1(path)
    before = path.read_bytes()

    if opened == "reader":
        reader = SqliteReader(path)
        found = asked(reader, "all", None, 9), asked(reader, "last", "home/a")
        reader.close()
    else:
        with looking_at(path) as view:
            found = view.parts.all(None, 9), view.parts.last("home/a")

    assert found == ([], None)
    assert path.read_bytes() == before


def test_a_ledger_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    SqliteStore(path, create=True).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 3")
    database.close()

    with pytest.raises(ConfigError, match="schema 3, this program 2"):
        SqliteReader(path)


def test_a_path_that_damage_hides_is_told_and_the_others_are_put_all_the_same(tmp_path):
    path = tmp_path / "ledger.sqlite"
    store = SqliteStore(path, create=True)
    many = [Part(f"home/{n:04}", 0, n, 0, None, n) for n in range(400)]
    store.transact(lambda tx: [tx.parts.put(part) for part in many])
    store.close()
    _damage_page_of(path, "home/0200")
    store = SqliteStore(path)

    def work(tx):
        with pytest.raises(IntegrityError):
            tx.parts.last("home/0200")
        tx.put_state("cursor", b"7")

    store.transact(work)

    assert store.read(lambda reader: reader.state("cursor")) == b"7"
    store.close()


def _damage_page_of(path, text):
    """The cell count of the page with this path is made nonsense."""
    data, page = bytearray(path.read_bytes()), 2048
    starts = [at for at in range(0, len(data), page) if text.encode() in data[at : at + page]]
    for start in starts:
        if data[start] == 10:  # a leaf of an index b-tree, which this table without rowids is
            data[start + 3 : start + 5] = b"\xff\xff"
    path.write_bytes(data)
