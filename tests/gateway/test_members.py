"""Enrolments and revocations: in the registry at once, in the ledger exactly once."""

import pytest

from gateway.errors import RevokedError, StoreFullError
from gateway.ledger.batch import Number
from gateway.members import CHANGES_KID, Members
from gateway.registry import Registry
from gateway.store.keys import KeyStore
from protocol import cbor_reader
from tests.fakes import FakeDevice

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")


class FakeSequencer:
    """Keeps what it is given, or fails as often as it is told to."""

    def __init__(self):
        self.kept = []
        self.failures = 0
        self.meanwhile = None

    async def submit(self, submission):
        if self.failures:
            self.failures -= 1
            raise StoreFullError("no space left")
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        self.kept.append(submission)


@pytest.fixture
def keys(tmp_path):
    """The gateway's view of keys.sqlite."""
    KeyStore(tmp_path / "keys.sqlite", create=True).close()
    keys = KeyStore(tmp_path / "keys.sqlite")
    yield keys
    keys.close()


@pytest.fixture
def tool(tmp_path, keys):
    """`tallystick device`, another process's connection."""
    tool = KeyStore(tmp_path / "keys.sqlite")
    yield tool
    tool.close()


def noted(sequencer):
    return [(s.draft.kind, s.draft.source, s.number) for s in sequencer.kept]


def test_a_device_counts_as_soon_as_it_is_enrolled_and_revoked(keys, tool):
    registry = Registry()
    members = Members(keys, registry, FakeSequencer())
    members.refresh()

    tool.add("shed", SHED.secret)
    members.refresh()
    found = registry.find(SHED.kid)
    tool.revoke("shed")
    members.refresh()

    assert found.name == "shed"
    with pytest.raises(RevokedError):
        registry.find(SHED.kid)


def test_a_refresh_without_a_change_leaves_the_registry_alone(keys, tool):
    registry = Registry()
    members = Members(keys, registry, FakeSequencer())
    tool.add("shed", SHED.secret)
    members.refresh()

    registry.replace([])
    members.refresh()

    assert len(registry) == 0


async def test_every_change_is_noted_once_in_order(keys, tool):
    sequencer = FakeSequencer()
    members = Members(keys, Registry(), sequencer)
    tool.add("shed", SHED.secret)
    tool.add("cellar", CELLAR.secret)
    tool.revoke("shed")

    await members.note_changes()
    await members.note_changes()

    assert noted(sequencer) == [
        ("enrolled", "shed", Number(CHANGES_KID, 0, 1)),
        ("enrolled", "cellar", Number(CHANGES_KID, 0, 2)),
        ("revoked", "shed", Number(CHANGES_KID, 0, 3)),
    ]


async def test_keeping_up_notes_a_new_device_and_asks_nothing_more_of_the_ledger(keys, tool):
    sequencer, registry = FakeSequencer(), Registry()
    members = Members(keys, registry, sequencer)
    await members.keep_up()

    tool.add("shed", SHED.secret)
    for _ in range(3):
        await members.keep_up()

    assert registry.knows(SHED.kid)
    assert len(sequencer.kept) == 1


async def test_what_is_noted_holds_the_kid_and_no_secret(keys, tool):
    sequencer = FakeSequencer()
    tool.add("shed", SHED.secret)

    await Members(keys, Registry(), sequencer).note_changes()

    body = sequencer.kept[0].draft.body
    assert cbor_reader.decode(body) == {"name": "shed", "profile": "mac", "kid": SHED.kid}
    assert SHED.secret not in body


async def test_a_change_that_could_not_be_noted_is_tried_again_before_later_ones(keys, tool):
    sequencer = FakeSequencer()
    members = Members(keys, Registry(), sequencer)
    tool.add("shed", SHED.secret)
    tool.add("cellar", CELLAR.secret)
    sequencer.failures = 1

    with pytest.raises(StoreFullError):
        await members.note_changes()
    after_failure = noted(sequencer)
    await members.note_changes()

    assert after_failure == []
    assert [source for _, source, _ in noted(sequencer)] == ["shed", "cellar"]


async def test_there_is_a_change_to_note_until_it_is_in_the_ledger(keys, tool):
    sequencer = FakeSequencer()
    members = Members(keys, Registry(), sequencer)
    tool.add("shed", SHED.secret)
    sequencer.failures = 1

    with pytest.raises(StoreFullError):
        await members.keep_up()
    before = members.refresh()
    await members.note_changes()

    assert (before, members.refresh()) == (True, False)


async def test_a_device_that_is_added_while_another_is_noted_is_noted_too(keys, tool):
    sequencer = FakeSequencer()
    members = Members(keys, Registry(), sequencer)
    tool.add("shed", SHED.secret)
    sequencer.meanwhile = lambda: tool.add("cellar", CELLAR.secret)

    await members.note_changes()

    assert [source for _, source, _ in noted(sequencer)] == ["shed", "cellar"]


async def test_after_a_restart_the_same_changes_have_the_same_numbers_and_bytes(keys, tool):
    first, second = FakeSequencer(), FakeSequencer()
    tool.add("shed", SHED.secret)

    await Members(keys, Registry(), first).note_changes()
    await Members(keys, Registry(), second).note_changes()

    assert first.kept == second.kept
