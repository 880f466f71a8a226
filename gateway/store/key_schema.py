"""The tables of keys.sqlite, and how an older file gets them in place.

Each row has a checksum: unlike the ledger's, these bytes are vouched for by nothing else.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from gateway.errors import StoreFailedError
from gateway.store.identities import ACTIVE
from gateway.store.sqlite import transaction
from protocol.enrolment import REVOKED

VERSION = 3
_OLDER = 2  # one key a name, all of profile `mac`
_TABLES = """
CREATE TABLE devices (
    name       TEXT NOT NULL,
    generation INTEGER NOT NULL,
    profile    TEXT NOT NULL,
    public_key BLOB NOT NULL,  -- empty but in the profile sig
    secret     BLOB NOT NULL,
    state      TEXT NOT NULL,  -- active, retiring or revoked
    checksum   BLOB NOT NULL,  -- of the other columns, see `checksum`
    PRIMARY KEY (name, generation)
) STRICT;
CREATE TABLE changes (
    n          INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    generation INTEGER NOT NULL,
    profile    TEXT NOT NULL,
    public_key BLOB NOT NULL,
    checksum   BLOB NOT NULL
) STRICT;
"""
SCHEMA = f"{_TABLES} PRAGMA user_version = {VERSION};"
# Damage may give a column any type and any bytes: they are for the checksum to name.
DEVICE = (
    "SELECT CAST(name AS BLOB), generation, CAST(profile AS BLOB), CAST(public_key AS BLOB),"
    " CAST(secret AS BLOB), CAST(state AS BLOB), CAST(checksum AS BLOB) FROM devices"
)
CHANGE = (
    "SELECT n, CAST(kind AS BLOB), CAST(name AS BLOB), generation, CAST(profile AS BLOB),"
    " CAST(public_key AS BLOB), CAST(checksum AS BLOB) FROM changes"
)
_OLD_DEVICE = (
    "SELECT CAST(name AS BLOB), CAST(profile AS BLOB), CAST(secret AS BLOB), revoked,"
    " CAST(checksum AS BLOB) FROM devices"
)
_OLD_CHANGE = (
    "SELECT n, CAST(kind AS BLOB), CAST(name AS BLOB), CAST(profile AS BLOB),"
    " CAST(checksum AS BLOB) FROM changes"
)
_PUT_DEVICE = "INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_CHANGE = "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)"


def migrate(connection: apsw.Connection) -> None:
    """Brings a file of the schema before to this one, all of it or nothing.

    StoreFailedError where a row of it is damaged: that is then not made whole.
    """
    with transaction(connection):
        if connection.pragma("user_version") != _OLDER:  # another process was faster
            return
        devices = checked(connection.execute(_OLD_DEVICE))
        changes = checked(connection.execute(_OLD_CHANGE))
        connection.execute(f"DROP TABLE devices; DROP TABLE changes; {SCHEMA}")
        for name, profile, secret, revoked in devices:
            state = REVOKED if revoked else ACTIVE
            put_device(connection, (name, 0, profile, b"", secret, state.encode()))
        for n, kind, name, profile in changes:
            put_change(connection, (n, kind, name, 0, profile, b""))


def needs_migration(version: object) -> bool:
    return version == _OLDER


def checked(rows: Any) -> list[Any]:
    """Rows without their last column, which is the checksum of the others."""
    found = list(rows)
    for *fields, kept in found:
        if kept != checksum(fields):
            raise damaged("a row is not as it was written")
    return [row[:-1] for row in found]


def put_device(connection: apsw.Connection, row: Sequence[Any]) -> None:
    """Columns as DEVICE reads them; takes the place of the row of that name and generation."""
    name, generation, profile, public_key, secret, state = row
    values = (name.decode(), generation, profile.decode(), public_key, secret, state.decode())
    connection.execute(_PUT_DEVICE, (*values, checksum(row)))


def put_change(connection: apsw.Connection, row: Sequence[Any]) -> None:
    """Columns as CHANGE reads them."""
    n, kind, name, generation, profile, public_key = row
    values = (n, kind.decode(), name.decode(), generation, profile.decode(), public_key)
    connection.execute(_PUT_CHANGE, (*values, checksum(row)))


def checksum(fields: Sequence[object]) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(fields)).digest()


def damaged(what: str) -> StoreFailedError:
    return StoreFailedError(f"keys.sqlite is damaged: {what}; restore it from a backup")
