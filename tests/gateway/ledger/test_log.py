"""The growing end: what it adds, and that loading finds it again."""

import pytest

from gateway.ledger import hashes, tree
from gateway.ledger.log import Draft, Log, Stamp
from gateway.store.memory import MemoryStore
from protocol import leaf as leaves
from protocol.errors import MalformedError
from protocol.leaf import SALT_BYTES
from protocol.merkle import EMPTY_ROOT, Frontier, leaf_hash
from tests.fakes import NOW_MS

STAMP = Stamp(NOW_MS, 1)


def sealed(count: int):
    return Log.empty().seal([Draft("pack", "shed", b"x")] * count, STAMP, bytes(16 * count))


def grown(store, log: Log, count: int) -> Log:
    """`log` with `count` more entries, in the store too."""
    extension = log.extended(sealed(count))
    store.transact(extension.put)
    return extension.log


def same(one: Log, other: Log) -> bool:
    probe = sealed(3)
    return (one.size, one.chain, one.received_ms, one.root()) == (
        other.size,
        other.chain,
        other.received_ms,
        other.root(),
    ) and one.extended(probe).log.root() == other.extended(probe).log.root()


def frontier_root(count: int) -> bytes:
    (one,) = sealed(1)
    frontier, hashed = Frontier(), leaf_hash(one.leaf)
    for _ in range(count):
        frontier.add(hashed)
    return frontier.root()


def test_an_empty_log_has_the_empty_root_and_the_chain_start(store):
    log = store.read(Log.load)

    assert (log.size, log.chain, log.root()) == (0, leaves.CHAIN_START, EMPTY_ROOT)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 767, 768])
def test_what_is_loaded_is_what_was_grown(store, size):
    log = Log.empty()
    for _ in range(size // 100):
        log = grown(store, log, 100)
    log = grown(store, log, size % 100)

    loaded = store.read(Log.load)

    assert loaded.size == size
    assert same(loaded, log)
    assert loaded.root() == frontier_root(size)
    assert store.read(lambda r: tree.root(size, hashes.reading(r))) == frontier_root(size)


@pytest.fixture(scope="module")
def great():
    """A log of 65 535 entries: one short of a second stored level."""
    store = MemoryStore()
    return store, grown(store, Log.empty(), 65_535)


def test_the_second_stored_level_begins_at_65536(great):
    store, log = great
    loaded = store.read(Log.load)
    one, two = (log.extended(sealed(count)) for count in (1, 2))

    assert same(loaded, log)
    assert log.root() == frontier_root(65_535)
    assert [node for node, _ in one.nodes] == [(8, 255), (16, 0)]
    assert one.log.root() == one.nodes[1][1] == frontier_root(65_536)
    assert two.log.root() == frontier_root(65_537)


def test_a_log_of_65537_is_loaded_as_it_was_grown():
    store = MemoryStore()
    log = grown(store, Log.empty(), 65_537)

    loaded = store.read(Log.load)

    assert same(loaded, log)
    root = store.read(lambda r: tree.root(65_537, hashes.reading(r)))
    assert root == log.root() == frontier_root(65_537)


def test_growing_at_once_and_one_by_one_are_the_same(store):
    at_once = Log.empty().extended(sealed(300)).log
    log = Log.empty()

    for _ in range(300):
        log = log.extended(sealed(1)).log

    assert same(at_once, log)


def test_an_extension_that_is_not_kept_changes_nothing():
    log = Log.empty().extended(sealed(255)).log
    before = log.root()

    log.extended(sealed(600))

    assert (log.size, log.root()) == (255, before)
    assert same(log, Log.empty().extended(sealed(255)).log)


def test_a_leaf_commits_to_its_own_salt_and_body():
    drafts = [Draft("pack", "shed", b"one"), Draft("alert", "cellar", b"two")]
    salts = bytes(range(2 * SALT_BYTES))

    first, second = Log.empty().seal(drafts, STAMP, salts)

    assert (first.salt, second.salt) == (salts[:16], salts[16:])
    assert leaves.commits_to(first.leaf, first.salt, b"one")
    assert not leaves.commits_to(first.leaf, second.salt, b"one")
    assert leaves.decode(second.leaf)[:4] == ("alert", NOW_MS, 1, "cellar")


def test_a_malformed_leaf_does_not_extend():
    (one,) = sealed(1)

    with pytest.raises(MalformedError):
        Log.empty().extended([one._replace(leaf=b"\x80", says=None)])


@pytest.mark.parametrize("level", [0, 3, 8, 9])
def test_a_hash_between_stored_levels_is_worked_out(great, level):
    store, _ = great
    frontier = frontier_root(1 << level)

    (found,) = store.read(lambda r: hashes.reading(r)([(level, 2)]))

    assert found == frontier
