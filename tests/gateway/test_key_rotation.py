"""Keys that take the place of others: in keys.sqlite, in the registry, and in the ledger."""

import asyncio
import hashlib

import apsw
import msgspec
import pytest

from gateway.errors import ConfigError, RevokedError, StoreFailedError
from gateway.members import Members
from gateway.registry import Registry, devices_of
from gateway.store.identities import ACTIVE, RETIRING, Change, StoredDevice
from gateway.store.keys import KeyStore
from protocol.enrolment import ENROLLED, MAC, REVOKED, SIG, kid_of
from tests.fakes import FakeDevice

SECRETS = [bytes([n]) * 32 for n in range(4)]
POINTS = [bytes([n]) * 64 for n in range(1, 4)]  # no point of the curve: nobody here looks
SCHEMA_2 = """
CREATE TABLE devices (name TEXT PRIMARY KEY, profile TEXT NOT NULL, secret BLOB NOT NULL,
    revoked INTEGER NOT NULL, checksum BLOB NOT NULL) STRICT;
CREATE TABLE changes (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
    profile TEXT NOT NULL, checksum BLOB NOT NULL) STRICT;
PRAGMA user_version = 2;
"""


@pytest.fixture
def path(tmp_path):
    KeyStore(tmp_path / "keys.sqlite", create=True).close()
    return tmp_path / "keys.sqlite"


@pytest.fixture
def keys(path):
    keys = KeyStore(path)
    yield keys
    keys.close()


def states(keys):
    return [(device.generation, device.state) for device in keys.devices()]


def kinds(keys):
    return [(change.kind, change.generation) for change in keys.changes(0)]


class KeepingSequencer:
    def __init__(self):
        self.kept = []

    async def submit(self, submission):
        self.kept.append((submission.number.sequence, submission.draft.kind))


# --- keys.sqlite ----------------------------------------------------------------------------


def test_of_a_name_both_keys_count_until_the_new_one_is_used(keys):
    keys.add("shed", SECRETS[0])

    new = keys.rotate("shed", SECRETS[1])
    before = states(keys)
    keys.succeed("shed")

    assert (new.generation, new.secret, new.state) == (1, SECRETS[1], ACTIVE)
    assert before == [(0, RETIRING), (1, ACTIVE)]
    assert states(keys) == [(0, REVOKED), (1, ACTIVE)]
    assert kinds(keys) == [(ENROLLED, 0), (ENROLLED, 1), (REVOKED, 0)]


def test_a_key_ends_once(keys):
    keys.add("shed", SECRETS[0])
    keys.rotate("shed", SECRETS[1])

    ended = [keys.succeed("shed") for _ in range(2)]

    assert ended == [True, False]
    assert len(keys.changes(0)) == 3


def test_a_new_key_that_never_reached_the_device_gives_way_to_the_next(keys):
    keys.add("shed", SECRETS[0])
    keys.rotate("shed", SECRETS[1])

    keys.rotate("shed", SECRETS[2])

    assert states(keys) == [(0, RETIRING), (1, REVOKED), (2, ACTIVE)]
    assert kinds(keys) == [(ENROLLED, 0), (ENROLLED, 1), (REVOKED, 1), (ENROLLED, 2)]


def test_a_revoked_device_has_no_key_that_counts_and_gets_none(keys):
    keys.add("shed", SECRETS[0])
    keys.rotate("shed", SECRETS[1])

    keys.revoke("shed")

    assert states(keys) == [(0, REVOKED), (1, REVOKED)]
    with pytest.raises(ConfigError, match="no active device 'shed'"):
        keys.rotate("shed", SECRETS[2])


def test_each_key_has_a_kid_of_its_own(keys):
    keys.add("shed", SECRETS[0])
    keys.rotate("shed", SECRETS[1])
    keys.add("roof", SECRETS[2], profile=SIG, public_key=POINTS[0])
    keys.rotate("roof", SECRETS[3], public_key=POINTS[1])

    kids = [device.kid for device in keys.devices()]

    assert kids == [
        kid_of("roof", SIG, 0, POINTS[0]),
        kid_of("roof", SIG, 1, POINTS[1]),
        kid_of("shed", MAC, 0, b""),
        kid_of("shed", MAC, 1, b""),
    ]
    assert len(set(kids)) == 4


def test_a_key_is_enrolled_once_whoever_has_it(keys):
    keys.add("roof", SECRETS[0], profile=SIG, public_key=POINTS[0])

    with pytest.raises(ConfigError, match="OSCORE Sender ID of 'roof'"):
        keys.rotate("roof", SECRETS[1], public_key=POINTS[0])

    assert states(keys) == [(0, ACTIVE)]


@pytest.mark.parametrize(("profile", "key", "new"), [(MAC, b"", POINTS[0]), (SIG, POINTS[0], b"")])
def test_a_rotation_changes_no_profile(keys, profile, key, new):
    keys.add("shed", SECRETS[0], profile=profile, public_key=key)

    with pytest.raises(ConfigError, match=f"of profile {profile}"):
        keys.rotate("shed", SECRETS[1], public_key=new)

    assert states(keys) == [(0, ACTIVE)]


def test_a_public_key_that_was_changed_on_the_disk_is_never_used(keys, path):
    keys.add("roof", SECRETS[0], profile=SIG, public_key=POINTS[0])
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE devices SET public_key = zeroblob(64)")
    connection.close()

    with pytest.raises(StoreFailedError, match=r"keys\.sqlite is damaged"):
        keys.devices()


# --- from the schema before -----------------------------------------------------------------


def old_file(path, *, checksum_of=lambda row: hashlib.sha256(msgspec.msgpack.encode(row)).digest()):
    connection = apsw.Connection(str(path))
    connection.execute(SCHEMA_2)
    for row in ((b"gone", b"mac", SECRETS[0], 1), (b"shed", b"mac", SECRETS[1], 0)):
        values = (row[0].decode(), row[1].decode(), *row[2:], checksum_of(row))
        connection.execute("INSERT INTO devices VALUES (?, ?, ?, ?, ?)", values)
    changes = ((1, ENROLLED, "gone"), (2, ENROLLED, "shed"), (3, REVOKED, "gone"))
    for n, kind, name in changes:
        checksum = checksum_of((n, kind.encode(), name.encode(), b"mac"))
        values = (n, kind, name, "mac", checksum)
        connection.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", values)
    connection.close()


def test_a_file_of_the_schema_before_is_brought_up_to_date_in_place(tmp_path):
    old_file(tmp_path / "keys.sqlite")

    for _ in range(2):  # the second finds it done
        keys = KeyStore(tmp_path / "keys.sqlite")
        devices, changes = keys.devices(), keys.changes(0)
        keys.close()

        assert devices == [
            StoredDevice("gone", MAC, SECRETS[0], REVOKED),
            StoredDevice("shed", MAC, SECRETS[1], ACTIVE),
        ]
        assert changes == [
            Change(1, ENROLLED, "gone"),
            Change(2, ENROLLED, "shed"),
            Change(3, REVOKED, "gone"),
        ]


def test_a_damaged_file_of_the_schema_before_is_not_made_whole(tmp_path):
    old_file(tmp_path / "keys.sqlite", checksum_of=lambda row: bytes(32))
    before = (tmp_path / "keys.sqlite").read_bytes()

    with pytest.raises(StoreFailedError, match="not as it was written"):
        KeyStore(tmp_path / "keys.sqlite")

    assert (tmp_path / "keys.sqlite").read_bytes() == before


# --- in the registry and the ledger ---------------------------------------------------------


def test_of_two_keys_both_may_speak_and_the_new_one_succeeds():
    shed, roof = FakeDevice("shed"), FakeDevice("roof")
    stored = [
        StoredDevice("shed", MAC, shed.secret, RETIRING),
        StoredDevice("shed", MAC, SECRETS[1], ACTIVE, 1),
        StoredDevice("roof", MAC, roof.secret),
    ]
    registry = Registry(devices_of(stored))

    old, new = registry.find(stored[0].kid), registry.find(stored[1].kid)
    registry.succeed("shed")

    assert (old.succeeds, new.succeeds) == (False, True)
    with pytest.raises(RevokedError):
        registry.find(stored[0].kid)
    assert not registry.find(stored[1].kid).succeeds
    assert not registry.find(roof.kid).revoked


async def test_the_first_pack_under_a_new_key_ends_the_one_before_once(keys, path):
    tool = KeyStore(path)
    old = tool.add("shed", SECRETS[0])
    new = tool.rotate("shed", SECRETS[1])
    sequencer, registry = KeepingSequencer(), Registry()
    members = Members(keys, registry, sequencer)
    await members.look()

    members.succeed("shed")
    with pytest.raises(RevokedError):  # at once
        registry.find(old.kid)
    tool.add("cellar", SECRETS[2])  # the registry is read anew before the key ended on the disk
    members.refresh()
    with pytest.raises(RevokedError):
        registry.find(old.kid)
    for _ in range(2):
        await members.look()
    tool.close()

    assert not registry.find(new.kid).succeeds
    assert [kind for _, kind in sequencer.kept] == [ENROLLED, ENROLLED, ENROLLED, REVOKED]
    assert [n for n, _ in sequencer.kept] == [1, 2, 3, 4]


async def test_a_device_that_the_gateway_revokes_is_revoked_for_good(keys, path):
    tool = KeyStore(path)
    device = tool.add("shed", SECRETS[0])
    sequencer, registry = KeepingSequencer(), Registry()
    members = Members(keys, registry, sequencer)
    await members.look()

    members.revoke("shed", "why")
    tool.revoke("shed")  # somebody is faster
    tool.close()
    await members.look()

    assert [kind for _, kind in sequencer.kept] == [ENROLLED, REVOKED]
    with pytest.raises(RevokedError):
        registry.find(device.kid)


async def test_ending_a_key_on_the_disk_holds_up_nobody_else(keys, path):
    tool = KeyStore(path)
    old = tool.add("shed", SECRETS[0])
    tool.rotate("shed", SECRETS[1])
    tool.close()
    registry = Registry()
    members = Members(keys, registry, KeepingSequencer())
    await members.look()
    members.succeed("shed")
    other = apsw.Connection(str(path))
    other.execute("BEGIN EXCLUSIVE")  # as a backup holds it: neither written nor read meanwhile

    looking = asyncio.create_task(members.look())
    await asyncio.sleep(0)
    noting = asyncio.create_task(members.note_changes())
    await asyncio.sleep(0)
    changed = members.refresh()
    other.execute("ROLLBACK")
    other.close()
    await asyncio.gather(looking, noting)

    assert not changed
    assert states(keys) == [(0, REVOKED), (1, ACTIVE)]
    with pytest.raises(RevokedError):
        registry.find(old.kid)
