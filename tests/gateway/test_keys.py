"""keys.sqlite and the small files: whole, private, and refused when damaged."""

import os
import re
import stat

import apsw
import pytest

from gateway.errors import ConfigError, StoreFailedError
from gateway.store.files import create_durable, make_directory, write_durable, write_in_place
from gateway.store.identities import Change, StoredDevice
from gateway.store.keys import KeyStore
from tests.fakes import TWINS

SECRET = bytes(range(32))


@pytest.fixture
def path(tmp_path):
    KeyStore(tmp_path / "keys.sqlite", create=True).close()
    return tmp_path / "keys.sqlite"


@pytest.fixture
def keys(path):
    keys = KeyStore(path)
    yield keys
    keys.close()


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_for_their_owner_only(keys, path):
    keys.add("shed", SECRET)

    assert mode_of(path) == 0o600


def test_what_is_enrolled_is_there(keys):
    keys.add("shed", SECRET)
    keys.add("cellar", SECRET)

    assert keys.devices() == [
        StoredDevice("cellar", "mac", SECRET, "active"),
        StoredDevice("shed", "mac", SECRET, "active"),
    ]


def test_a_name_is_used_once_even_after_its_device_was_revoked(keys):
    keys.add("shed", SECRET)
    keys.revoke("shed")

    with pytest.raises(ConfigError, match="a device 'shed' already"):
        keys.add("shed", bytes(32))

    assert keys.devices() == [StoredDevice("shed", "mac", SECRET, "revoked")]
    assert len(keys.changes(0)) == 2


@pytest.mark.parametrize("revoked", [False, True], ids=["active", "revoked"])
def test_two_names_that_are_one_to_oscore_are_not_both_enrolled(keys, revoked):
    first, second = TWINS
    keys.add(first, SECRET)
    if revoked:
        keys.revoke(first)

    with pytest.raises(
        ConfigError, match=f"'{second}' has the OSCORE Sender ID of '{first}'"
    ) as no:
        keys.add(second, bytes(32))

    assert "choose another name" in no.value.fix
    assert [device.name for device in keys.devices()] == [first]


def test_a_name_that_another_process_has_enrolled_meanwhile_counts(keys, path):
    keys.add("shed", SECRET)
    other = KeyStore(path)
    other.add(TWINS[0], SECRET)
    other.close()

    with pytest.raises(ConfigError, match="OSCORE Sender ID"):
        keys.add(TWINS[1], SECRET)


@pytest.mark.parametrize("name", ["nobody", "gone"])
def test_only_an_active_device_is_revoked(keys, name):
    keys.add("gone", SECRET)
    keys.revoke("gone")

    with pytest.raises(ConfigError, match=f"no active device '{name}'"):
        keys.revoke(name)

    assert len(keys.changes(0)) == 2


def test_changes_are_numbered_without_holes(keys):
    keys.add("shed", SECRET)
    keys.add("cellar", SECRET)
    with pytest.raises(ConfigError):
        keys.add("shed", SECRET)
    keys.revoke("shed")

    assert keys.changes(0) == [
        Change(1, "enrolled", "shed", "mac"),
        Change(2, "enrolled", "cellar", "mac"),
        Change(3, "revoked", "shed", "mac"),
    ]
    assert [change.n for change in keys.changes(2)] == [3]


def test_the_version_changes_when_another_process_writes(keys, path):
    before = keys.version()
    other = KeyStore(path)

    same = keys.version()
    other.add("shed", SECRET)
    other.close()

    assert same == before
    assert keys.version() != before


def damage(path, sql):
    connection = apsw.Connection(str(path))
    connection.execute(sql)
    connection.close()


DAMAGE = {
    "secret": "UPDATE devices SET secret = zeroblob(32) WHERE name = 'shed'",
    "revocation": "UPDATE devices SET state = 'active' WHERE name = 'gone'",
    "name": "UPDATE devices SET name = 'shad' WHERE name = 'shed'",
    "name that is no text": "UPDATE devices SET name = CAST(x'ff' AS TEXT) WHERE name = 'shed'",
    "device missing": "DELETE FROM devices WHERE name = 'shed'",
    "last change missing": "DELETE FROM changes WHERE n = 3",
}


@pytest.mark.parametrize("sql", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_device_is_never_used(keys, path, sql):
    keys.add("shed", SECRET)
    keys.add("gone", SECRET)
    keys.revoke("gone")
    damage(path, sql)

    with pytest.raises(StoreFailedError, match=r"keys\.sqlite is damaged"):
        keys.devices()


@pytest.mark.parametrize("sql", ["UPDATE changes SET kind = 'revoked'", "DELETE FROM changes"])
def test_a_damaged_change_is_never_told(keys, path, sql):
    keys.add("shed", SECRET)
    keys.add("cellar", SECRET)
    damage(path, f"{sql} WHERE n = 1")

    with pytest.raises(StoreFailedError, match=r"keys\.sqlite is damaged"):
        keys.changes(0)


def test_a_damaged_device_is_not_made_whole_by_its_revocation(keys, path):
    keys.add("shed", SECRET)
    damage(path, DAMAGE["secret"])

    with pytest.raises(StoreFailedError, match="not as it was written"):
        keys.revoke("shed")


def test_a_file_of_another_schema_is_refused(path):
    damage(path, "PRAGMA user_version = 1")

    with pytest.raises(ConfigError, match="has schema 1, this program 3"):
        KeyStore(path)


def test_a_file_that_sqlite_finds_damaged_is_refused(keys, path):
    """Its rows are whole, but who looks for a name does not find it."""
    for name in ("cellar", "roof", "shed"):
        keys.add(name, SECRET)
    data = path.read_bytes()
    in_the_index = re.compile(b"roof(?!mac)")
    assert len(in_the_index.findall(data)) == 1
    path.write_bytes(in_the_index.sub(b"rOof", data))

    with pytest.raises(ConfigError, match="is damaged"):
        KeyStore(path)


def test_a_missing_file_is_never_made_by_accident(tmp_path):
    with pytest.raises(ConfigError, match=r"no .*none\.sqlite"):
        KeyStore(tmp_path / "none.sqlite")

    assert not (tmp_path / "none.sqlite").exists()


def test_a_new_file_does_not_replace_one(path):
    with pytest.raises(FileExistsError):
        KeyStore(path, create=True)


def test_a_file_holds_what_was_written_last(tmp_path):
    file = tmp_path / "checkpoint"

    write_durable(file, b"one" * 10_000)
    write_durable(file, b"two", mode=0o644)

    assert file.read_bytes() == b"two"
    assert mode_of(file) == 0o644
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_a_failed_write_keeps_what_was_there(tmp_path):
    file = tmp_path / "checkpoint"
    write_durable(file, b"old")
    (tmp_path / "checkpoint.new").mkdir()

    with pytest.raises(StoreFailedError, match="checkpoint: "):
        write_durable(file, b"new")

    assert file.read_bytes() == b"old"


def test_a_directory_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "checkpoint").mkdir()

    with pytest.raises(StoreFailedError):
        write_durable(tmp_path / "checkpoint", b"new")


@pytest.mark.parametrize("data", [b"", b"as", b"as long", b"rather longer"])
def test_a_file_that_is_overwritten_holds_that_and_no_more(tmp_path, data):
    file = tmp_path / "checkpoint"
    write_in_place(file, b"as long", mode=0o644)
    inode = file.stat().st_ino

    write_in_place(file, data)

    assert (file.read_bytes(), file.stat().st_ino, mode_of(file)) == (data, inode, 0o644)


def test_what_cannot_be_overwritten_is_said(tmp_path):
    (tmp_path / "checkpoint").mkdir()

    with pytest.raises(StoreFailedError, match="checkpoint: Is a directory"):
        write_in_place(tmp_path / "checkpoint", b"new")


def test_a_file_is_created_once_and_private(tmp_path):
    file = tmp_path / "signer.key"

    create_durable(file, b"first")
    with pytest.raises(FileExistsError):
        create_durable(file, b"second")

    assert (file.read_bytes(), mode_of(file)) == (b"first", 0o600)


class SyncedDirectories:
    """A disk that notes which directories were synced."""

    def __init__(self):
        self.synced = []
        self._open = {}

    def open(self, path, flags, mode=0o777):
        handle = os.open(path, flags, mode)
        self._open[handle] = path
        return handle

    def fsync(self, handle, /):
        self.synced.append(self._open[handle])

    def close(self, handle, /):
        os.close(handle)


def test_a_new_directory_is_private_and_its_name_survives_a_power_cut(tmp_path):
    disk = SyncedDirectories()

    make_directory(tmp_path / "sites" / "garden", disk=disk)
    make_directory(tmp_path / "sites" / "garden", disk=disk)

    assert mode_of(tmp_path / "sites" / "garden") == 0o700
    assert disk.synced == [tmp_path / "sites", tmp_path]
