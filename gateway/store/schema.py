"""The tables of a ledger's file: made, brought up to date, and refused if they are not ours."""

from pathlib import Path

import apsw

from gateway.errors import ConfigError
from gateway.store import PAGE_BYTES

APPLICATION_ID = 0x74616C79  # "taly"
SCHEMA_VERSION = 2
_WITHOUT_RESOURCES = 1  # no entry of such a ledger is a change of a resource
_FOLDER = Path(__file__).parent


def create(connection: apsw.Connection) -> None:
    """All tables, where there is none at all."""
    if list(connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1")):
        return
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("auto_vacuum", "incremental")  # what is deleted goes back to the disk
    with connection:
        connection.execute((_FOLDER / "schema.sql").read_text())
        connection.execute((_FOLDER / "resources.sql").read_text())
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", SCHEMA_VERSION)


def bring_up_to_date(connection: apsw.Connection, path: Path) -> None:
    """A ledger of an earlier version gets what it lacks; ConfigError where it is none of ours."""
    if _version(connection, path) == _WITHOUT_RESOURCES:
        with connection:
            connection.execute((_FOLDER / "resources.sql").read_text())
            connection.pragma("user_version", SCHEMA_VERSION)


def check(connection: apsw.Connection, path: Path) -> None:
    """ConfigError where this is no ledger that can be read as it is, see `stand_in`."""
    _version(connection, path)


def stand_in(connection: apsw.Connection) -> None:
    """For a reader, who changes nothing of an earlier version's file: an empty table of its own."""
    if connection.pragma("user_version") == _WITHOUT_RESOURCES:
        table = (_FOLDER / "resources.sql").read_text()
        connection.execute(table.replace("CREATE TABLE", "CREATE TEMP TABLE"))


def _version(connection: apsw.Connection, path: Path) -> int:
    if connection.pragma("application_id") != APPLICATION_ID:
        raise ConfigError(f"{path} is an SQLite file, but no ledger", "name another directory")
    version = int(connection.pragma("user_version"))
    if version not in (_WITHOUT_RESOURCES, SCHEMA_VERSION):
        raise ConfigError(
            f"{path} has schema {version}, this program {SCHEMA_VERSION}",
            "use the version of tallystick that wrote it",
        )
    return version
