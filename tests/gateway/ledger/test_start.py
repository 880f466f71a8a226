"""The check before the first entry."""

import pytest

from gateway.errors import ConfigError, RolledBackError
from gateway.ledger import start
from gateway.ledger.log import Log
from gateway.store import Entry
from gateway.store.memory import MemoryStore
from protocol.checkpoint import Checkpoint, unverified
from tests.fakes import ORIGIN, FakeDevice, FakeGateway


class EditedReader:
    """A view whose entries somebody has changed, by index, and hashes, by (level, n).

    None is for deleted.
    """

    def __init__(self, reader, edits):
        self._reader = reader
        self._edits = edits

    def __getattr__(self, name):
        return getattr(self._reader, name)

    def entries(self, first, stop):
        found = [self._edits.get(e.index, e) for e in self._reader.entries(first, stop)]
        return [entry for entry in found if entry is not None]

    def nodes(self, level, first, stop):
        held = enumerate(self._reader.nodes(level, first, stop), first)
        found = [self._edits.get((level, n), value) for n, value in held]
        return [value for value in found if value is not None]

    def leaves(self, first, stop):
        return [entry.leaf for entry in self.entries(first, stop)]


def ledger(signed: int, unsigned: int) -> tuple[MemoryStore, Checkpoint]:
    gateway, device = FakeGateway(), FakeDevice()
    gateway.fill(signed, device)
    if unsigned:
        gateway.commit(*(device.submission(n) for n in range(signed, signed + unsigned)))
    return gateway.store, unverified(gateway.writer.note) if signed else Checkpoint(
        ORIGIN, 0, Log.empty().root()
    )


def check(store, signed, edits=()):
    def checked(reader):
        edited = EditedReader(reader, dict(edits))
        start.check_signed(edited, Log.load(edited), signed)

    store.read(checked)


def at(store, index: int) -> Entry:
    return store.read(lambda r: r.entries(index, index + 1))[0]


def changed(entry: Entry, **fields) -> Entry:
    values = {name: getattr(entry, name) for name in Entry.__struct_fields__}
    return Entry(**values | fields)


@pytest.mark.parametrize(
    ("signed", "unsigned"), [(0, 0), (0, 3), (5, 0), (5, 7), (300, 1), (3, 1500)]
)
def test_a_ledger_that_goes_on_from_its_checkpoint_is_accepted(signed, unsigned):
    store, checkpoint = ledger(signed, unsigned)

    check(store, checkpoint)


def test_a_ledger_behind_its_checkpoint_is_refused():
    store, checkpoint = ledger(5, 0)

    with pytest.raises(RolledBackError, match="5 entries, but its checkpoint of 9") as refusal:
        check(store, checkpoint._replace(size=9))

    assert "restore the newer ledger" in refusal.value.fix


def test_a_ledger_with_other_entries_is_refused():
    store, checkpoint = ledger(5, 2)

    with pytest.raises(RolledBackError, match="first 5 entries are not those"):
        check(store, checkpoint._replace(root=bytes(32)))


def test_a_change_under_the_checkpoint_is_refused():
    store, checkpoint = ledger(5, 2)
    other = changed(at(store, 3), leaf=at(store, 2).leaf)

    with pytest.raises(RolledBackError, match="first 5 entries are not those"):
        check(store, checkpoint, {3: other})


TAIL = {
    "body": lambda e: changed(e, body=e.body + b"!"),
    "salt": lambda e: changed(e, salt=bytes(16)),
    "leaf": lambda e: changed(e, leaf=e.leaf[:-1] + b"!", body=None),
    "chain": lambda e: changed(e, chain=bytes(32)),
    "missing": lambda e: None,
}


@pytest.mark.parametrize("edit", TAIL.values(), ids=TAIL)
def test_a_change_after_the_checkpoint_is_refused_by_its_entry(edit):
    store, checkpoint = ledger(5, 4)

    with pytest.raises(RolledBackError, match="entry 6:"):
        check(store, checkpoint, {6: edit(at(store, 6))})


def test_an_entry_missing_past_the_first_step_is_noticed():
    store, checkpoint = ledger(5, 2100)

    with pytest.raises(RolledBackError, match="entry 2000: the entry is missing"):
        check(store, checkpoint, {2000: None})


@pytest.mark.parametrize("value", [bytes(32), None], ids=["changed", "missing"])
@pytest.mark.parametrize("signed", [200, 256, 280])
def test_a_stored_hash_that_the_next_root_would_be_made_of_is_held_to_the_entries(value, signed):
    store, checkpoint = ledger(signed, 300 - signed)

    with pytest.raises(RolledBackError, match=r"\(8, 0\)|first \d+ entries"):
        check(store, checkpoint, {(8, 0): value})


def test_a_last_entry_that_is_not_there_is_noticed():
    store, checkpoint = ledger(5, 4)
    log = store.read(Log.load)

    with pytest.raises(RolledBackError, match="what follows is not what is stored"):
        store.read(lambda r: start.check_signed(EditedReader(r, {8: None}), log, checkpoint))


def test_a_deleted_body_is_no_tampering():
    store, checkpoint = ledger(5, 4)

    check(store, checkpoint, {6: changed(at(store, 6), body=None)})


def test_a_ledger_of_another_origin_is_refused():
    store, _ = ledger(1, 0)

    store.read(lambda r: start.check_origin(r, ORIGIN))
    with pytest.raises(ConfigError, match=r"belongs to .*/ledger"):
        store.read(lambda r: start.check_origin(r, "test.invalid/other"))
    with pytest.raises(ConfigError, match="belongs to ''"):
        MemoryStore().read(lambda r: start.check_origin(r, ORIGIN))


def test_a_gateway_s_ledger_that_says_it_is_a_copy_is_refused():
    store, _ = ledger(1, 0)
    store.transact(lambda transaction: transaction.put_state(start.ROLE, start.COLLECTOR))

    store.read(lambda r: start.check_origin(r, ORIGIN, is_copy=True))
    with pytest.raises(ConfigError, match="a collector's copy"):
        store.read(lambda r: start.check_origin(r, ORIGIN))
