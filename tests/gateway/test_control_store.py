"""control.sqlite: what devices are to be told, and how far they have come."""

import stat

import apsw
import pytest

from gateway.errors import CommandsFullError, ConfigError, StoreFailedError
from gateway.store.control import MAX_WAITING, ControlStore, Heard, Order

REPORT = Order("report", "", "ada", 1000)


@pytest.fixture
def opened(tmp_path):
    """Opens the same file again and again."""
    stores = []

    def again():
        stores.append(ControlStore(tmp_path / "control.sqlite"))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


def body(number):
    return b"%d" % number


def test_a_file_that_is_made_is_for_its_owner_only(opened, tmp_path):
    opened()

    assert stat.S_IMODE((tmp_path / "control.sqlite").stat().st_mode) == 0o600


def test_a_directory_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(ConfigError):
        ControlStore(tmp_path / "nowhere" / "control.sqlite")


def test_what_was_written_is_there_for_others_and_afterwards(opened):
    first, other = opened(), opened()
    before = other.version()

    version = first.set_config("shed", b"{}", body)
    number = first.add_command("shed", REPORT, body)

    assert other.version() != before
    assert (version, number) == (1, 1)
    assert other.configs() == [("shed", 1, b"{}", 1)]
    assert other.commands() == [("shed", 1, "report", "", "ada", 1000, 2)]
    assert other.changes(0) == [(1, "config", "shed", b"1"), (2, "command", "shed", b"1")]
    assert other.changes(1) == [(2, "command", "shed", b"1")]
    assert opened().epoch == first.epoch


def test_versions_and_ids_never_come_again_whatever_was_lost(opened):
    store = opened()
    store.hear(Heard("shed", known=7, runs=6, done=20, told=22))

    versions = [store.set_config("shed", b"{}", body) for _ in range(2)]
    ids = [store.add_command("shed", REPORT, body) for _ in range(2)]

    assert (versions, ids) == ([8, 9], [23, 24])


def test_one_device_has_so_many_commands_waiting_and_no_more(opened):
    store = opened()
    for _ in range(MAX_WAITING):
        store.add_command("shed", REPORT, body)

    with pytest.raises(CommandsFullError):
        store.add_command("shed", REPORT, body)
    store.add_command("cellar", REPORT, body)
    store.hear(Heard("shed", done=1))

    assert store.add_command("shed", REPORT, body) == MAX_WAITING + 1


def test_old_commands_and_changes_are_forgotten_and_none_that_is_needed(opened):
    store = opened()
    for number in range(1, 401):
        store.hear(Heard("shed", done=number - 1))
        store.add_command("shed", REPORT, body)

    store.noted(399)

    assert [one.id for one in store.commands()] == [*range(337, 401)]
    assert [one.n for one in store.changes(0)] == [*range(144, 401)]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("configs", "text", b'{"wifi":null}'),
        ("configs", "version", 9),
        ("commands", "argument", "other"),
        ("changes", "body", b"other"),
    ],
)
def test_a_damaged_row_is_never_told(opened, tmp_path, table, column, value):
    store = opened()
    store.set_config("shed", b"{}", body)
    store.add_command("shed", REPORT, body)
    connection = apsw.Connection(str(tmp_path / "control.sqlite"))
    connection.execute(f"UPDATE {table} SET {column} = ?", (value,))  # noqa: S608 (the test's own)
    connection.close()

    with pytest.raises(StoreFailedError):
        {"configs": store.configs, "commands": store.commands}.get(
            table, lambda: store.changes(0)
        )()


def test_the_file_of_another_version_is_refused(opened, tmp_path):
    opened().close()
    connection = apsw.Connection(str(tmp_path / "control.sqlite"))
    connection.pragma("user_version", 99)
    connection.close()

    with pytest.raises(ConfigError):
        opened()
