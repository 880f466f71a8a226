"""Deleting bodies, and the space they took: what every store promises of it."""

import pytest

from gateway.errors import StoreFullError
from gateway.store import PAGE_BYTES, Entry, Selection
from protocol.prune import KEPT_KINDS

KINDS, SOURCES = ("pack", "alert", "enrolled"), ("shed", "cellar")
ALL = Selection(0, 99)


def entry(index: int, kind: str = "pack", source: str = "shed", body: bytes = b"body") -> Entry:
    return Entry(index, kind, source, 100 + index, b"leaf%d" % index, b"chain", b"salt", body)


def variety(count: int) -> list[Entry]:
    return [entry(n, KINDS[n % 3], SOURCES[n % 2], b"x" * (n + 1)) for n in range(count)]


def filled(store, entries):
    store.transact(lambda tx: tx.append(entries))
    return store


def with_bodies(store) -> list[int]:
    return [e.index for e in store.read(lambda r: r.entries(0, 999)) if e.body is not None]


# kinds by index: pack alert enrolled, and again; sources: shed cellar, and again
SELECTIONS = [
    (ALL, [0, 1, 3, 4, 6, 7, 9, 10]),
    (Selection(1, 4), [1, 3]),
    (Selection(4, 4), []),
    (Selection(12, 99), []),
    (Selection(0, 99, kind="alert"), [1, 4, 7, 10]),
    (Selection(0, 99, source="cellar"), [1, 3, 7, 9]),
    (Selection(0, 8, "pack", "cellar"), [3]),
    (Selection(0, 99, kind="enrolled"), []),
    (Selection(0, 99, source=""), []),
]


@pytest.mark.parametrize(("selection", "indexes"), SELECTIONS)
def test_exactly_the_selected_bodies_are_deleted(store, selection, indexes):
    filled(store, variety(12))

    deleted = store.transact(lambda tx: tx.delete_bodies(selection))

    assert deleted == (len(indexes), sum(index + 1 for index in indexes))
    assert with_bodies(store) == [n for n in range(12) if n not in indexes]


@pytest.mark.parametrize(("selection", "indexes"), SELECTIONS)
def test_what_would_be_deleted_can_be_asked_before(store, selection, indexes):
    filled(store, variety(12))

    found = store.read(lambda r: r.bodies(selection, 99))

    assert found == [(index, index + 1) for index in indexes]


def test_what_would_be_deleted_can_be_asked_in_parts(store):
    filled(store, variety(12))

    assert store.read(lambda r: r.bodies(ALL, 2)) == [(0, 1), (1, 2)]


def test_a_deleted_body_takes_its_salt_along_and_leaves_the_rest(store):
    filled(store, [entry(0), entry(1)])

    store.transact(lambda tx: tx.delete_bodies(Selection(0, 1)))

    gone, stays = store.read(lambda r: r.entries(0, 9))
    assert gone == Entry(0, "pack", "shed", 100, b"leaf0", b"chain", b"", None)
    assert stays == entry(1)


def test_what_is_deleted_is_deleted_once(store):
    filled(store, [entry(0)])

    counts = [store.transact(lambda tx: tx.delete_bodies(ALL)) for _ in range(2)]

    assert counts == [(1, 4), (0, 0)]


@pytest.mark.parametrize("kind", KEPT_KINDS)
def test_bodies_that_say_who_may_speak_and_what_was_deleted_stay(store, kind):
    filled(store, [entry(0, kind)])

    assert store.transact(lambda tx: tx.delete_bodies(ALL)) == (0, 0)
    assert with_bodies(store) == [0]


def test_a_deletion_that_fails_deletes_nothing(store):
    filled(store, variety(12))

    def delete_and_fail(tx):
        tx.delete_bodies(ALL)
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        store.transact(delete_and_fail)

    assert with_bodies(store) == list(range(12))


def test_the_end_of_a_body_can_be_kept_beyond_it(store):
    filled(store, [entry(0, body=b"a short one"), entry(1, body=b"ab"), entry(2, "alert")])

    def delete(tx):
        tails = tx.tails(ALL._replace(kind="pack"), 3)
        tx.delete_bodies(ALL)
        tx.put_tails(tails)

    store.transact(delete)

    assert [store.read(lambda r, n=n: r.tail(n)) for n in range(4)] == [b"one", b"ab", None, None]


def test_what_is_kept_of_a_body_takes_the_place_of_a_stray_one(store):
    store.transact(lambda tx: tx.put_tails([(0, b"stray")]))

    store.transact(lambda tx: tx.put_tails([(0, b"right"), (1, b"next")]))

    assert [store.read(lambda r, n=n: r.tail(n)) for n in range(2)] == [b"right", b"next"]


LATER = [(0, 5, 0, 0), (0, 5, 102, 2), (3, 5, 102, 3), (0, 2, 102, 2), (0, 5, 999, 5), (4, 9, 1, 4)]


@pytest.mark.parametrize(("start", "stop", "moment_ms", "index"), LATER)
def test_the_first_entry_of_a_moment_or_later_is_found(store, start, stop, moment_ms, index):
    filled(store, variety(5))

    assert store.read(lambda r: r.first_later(start, stop, moment_ms)) == index


def test_an_entry_out_of_time_is_not_passed_over(store):
    """A clock that went back: what came before that moment is later all the same."""
    times = (100, 900, 101, 102)
    filled(store, [Entry(n, "pack", "s", t, b"l", b"c", b"s", b"b") for n, t in enumerate(times)])

    assert store.read(lambda r: r.first_later(0, 4, 500)) == 1


def big(count: int) -> list[Entry]:
    return [entry(n, body=bytes(PAGE_BYTES // 2)) for n in range(count)]


def test_deleted_bodies_are_free_space_and_free_space_can_be_given_back(store):
    full = filled(store, big(100)).sizes()

    store.transact(lambda tx: tx.delete_bodies(ALL))
    pruned = store.sizes()
    released = store.release(1000)

    assert full.used_bytes > 100 * PAGE_BYTES // 2
    assert pruned.used_bytes < full.used_bytes // 4
    assert pruned.file_bytes + pruned.log_bytes >= full.file_bytes
    assert released * PAGE_BYTES > full.used_bytes // 2
    assert store.empty_log()
    assert store.sizes().file_bytes == store.sizes().used_bytes < full.used_bytes // 4


def test_free_space_is_given_back_in_steps_of_any_size(store):
    filled(store, big(100))
    store.transact(lambda tx: tx.delete_bodies(ALL))

    steps = [store.release(7) for _ in range(30)]

    assert steps[:3] == [7, 7, 7]
    assert steps[-1] == 0
    assert store.empty_log()
    assert store.sizes().file_bytes == store.sizes().used_bytes


def test_a_full_store_keeps_nothing_more_until_something_is_deleted(store):
    filled(store, big(20))
    store.limit_pages(1)  # it has more already, and that is then the most

    with pytest.raises(StoreFullError):
        store.transact(lambda tx: tx.append([entry(n, body=bytes(9000)) for n in (20, 21)]))
    full = with_bodies(store)
    store.transact(lambda tx: (tx.delete_bodies(Selection(0, 9)), tx.append([entry(20)])))

    assert full == list(range(20))
    assert with_bodies(store) == list(range(9, 21))
