"""keys.sqlite: the devices' secrets, apart from the ledger, readable by the owner only.

Written by `tallystick device …`, read by the gateway, which notices changes by itself. Each
change is numbered, so that the gateway can put it into the ledger exactly once. Each row has a
checksum: unlike the ledger's, these bytes are vouched for by nothing else.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from gateway.errors import ConfigError, StoreFailedError
from gateway.store.sqlite import mapped_errors, transaction
from protocol.envelope import kid_of
from protocol.pairing import device_id

ENROLLED, REVOKED = "enrolled", "revoked"
_BUSY_TIMEOUT_MS = 5000
_SCHEMA_VERSION = 2
# Damage may give a column any type and any bytes: they are for the checksum to name.
_DEVICE = (
    "CAST(name AS BLOB), CAST(profile AS BLOB), CAST(secret AS BLOB), revoked,"
    " CAST(checksum AS BLOB) FROM devices"
)
_CHANGE = (
    "n, CAST(kind AS BLOB), CAST(name AS BLOB), CAST(profile AS BLOB), CAST(checksum AS BLOB)"
    " FROM changes"
)
_COUNTS = (
    "SELECT total(kind = 'enrolled'), total(kind = 'revoked'), coalesce(max(n), 0) FROM changes"
)
_SCHEMA = f"""
CREATE TABLE devices (
    name     TEXT PRIMARY KEY,
    profile  TEXT NOT NULL,
    secret   BLOB NOT NULL,
    revoked  INTEGER NOT NULL,
    checksum BLOB NOT NULL  -- of the other columns, see _checksum
) STRICT;
CREATE TABLE changes (
    n        INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    profile  TEXT NOT NULL,
    checksum BLOB NOT NULL
) STRICT;
PRAGMA user_version = {_SCHEMA_VERSION};
"""


class StoredDevice(NamedTuple):
    """`secret` is 32 bytes; do not log it."""

    name: str
    profile: str
    secret: bytes
    revoked: bool


class Change(NamedTuple):
    n: int
    kind: str
    name: str
    profile: str


class KeyStore:
    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        elif not path.exists():
            raise ConfigError(f"no {path}", "run `tallystick init DIR` first")
        with mapped_errors("keys.sqlite"):
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            # "full" does not sync the directory after a commit: a power cut could bring the
            # journal back, and with it undo a revocation that was answered
            self._connection.pragma("synchronous", "extra")
            if create:
                with self._connection:
                    self._connection.execute(_SCHEMA)
            self._check(path)
        self._known_ids: dict[bytes, str] = {}
        self._known_version: int | None = None

    def version(self) -> int:
        """Changes whenever another process has written."""
        with mapped_errors():
            return int(self._connection.pragma("data_version"))

    def devices(self) -> list[StoredDevice]:
        """StoreFailedError where a row was damaged or is missing."""
        with mapped_errors(), self._connection:  # one view of both tables
            rows = self._rows(f"SELECT {_DEVICE} ORDER BY name")
            ((enrolled, revoked, last),) = self._connection.execute(_COUNTS)
        gone = sum(row[3] for row in rows)
        if (len(rows), gone, len(rows) + gone) != (enrolled, revoked, last):
            raise _damaged("devices and their changes do not fit together")
        return [
            StoredDevice(name.decode(), profile.decode(), secret, bool(gone))
            for name, profile, secret, gone in rows
        ]

    def changes(self, after: int) -> list[Change]:
        """StoreFailedError where a row was damaged or is missing."""
        rows = self._rows(f"SELECT {_CHANGE} WHERE n > ? ORDER BY n", after)
        if [row[0] for row in rows] != list(range(after + 1, after + 1 + len(rows))):
            raise _damaged("a change is missing")
        return [Change(n, *(text.decode() for text in texts)) for n, *texts in rows]

    def add(self, name: str, secret: bytes, *, profile: str = "mac") -> None:
        """Enrols a device; ConfigError where the name was ever used, or is another's to OSCORE.

        Of the kid OSCORE has 7 bytes only. By chance two names agree in them in one of 2**56
        cases; whoever looks for two that do needs 2**28 tries.
        """
        device = (name.encode(), profile.encode(), secret, 0)
        identifier = device_id(kid_of(name, profile))
        with transaction(self._connection):
            other = self._identifiers().get(identifier, name)
            if other != name:
                raise ConfigError(
                    f"{name!r} has the OSCORE Sender ID of {other!r}, {identifier.hex()}",
                    "choose another name: that follows from it alone",
                )
            try:
                self._connection.execute(
                    "INSERT INTO devices (name, profile, secret, revoked, checksum)"
                    " VALUES (?, ?, ?, 0, ?)",
                    (name, profile, secret, _checksum(device)),
                )
            except apsw.ConstraintError as error:
                raise ConfigError(
                    f"there is a device {name!r} already", "choose another name, or revoke it"
                ) from error
            self._note(ENROLLED, name, profile)
        self._known_ids[identifier] = name

    def revoke(self, name: str) -> None:
        """Nothing the device sends is accepted from now on; ConfigError where there is none."""
        with transaction(self._connection):
            rows = self._rows(f"SELECT {_DEVICE} WHERE name = ? AND NOT revoked", name)
            if not rows:
                raise ConfigError(
                    f"no active device {name!r}", "see `tallystick device list --dir DIR`"
                )
            encoded, profile, secret, _ = rows[0]
            self._connection.execute(
                "UPDATE devices SET revoked = 1, checksum = ? WHERE name = ?",
                (_checksum((encoded, profile, secret, 1)), name),
            )
            self._note(REVOKED, name, profile.decode())

    def close(self) -> None:
        self._connection.close()

    def _check(self, path: Path) -> None:
        version = self._connection.pragma("user_version")
        if version != _SCHEMA_VERSION:
            raise ConfigError(
                f"{path} has schema {version}, this program {_SCHEMA_VERSION}",
                "use the version of tallystick that wrote it, or restore a backup",
            )
        found = self._connection.pragma("integrity_check")
        if found != "ok":
            raise ConfigError(f"{path} is damaged: {found}", "restore a backup")

    def _identifiers(self) -> dict[bytes, str]:
        """Whose each OSCORE Sender ID is, revoked or not; read again after others wrote."""
        version = self.version()
        if version != self._known_version:
            rows = self._rows(f"SELECT {_DEVICE}")
            names = [(name.decode(), profile.decode()) for name, profile, _, _ in rows]
            self._known_ids = {device_id(kid_of(*one)): one[0] for one in names}
            self._known_version = version
        return self._known_ids

    def _rows(self, sql: str, *values: object) -> list[Any]:
        """Rows without their last column, which is the checksum of the others."""
        with mapped_errors():
            rows = list(self._connection.execute(sql, values))
        for *fields, checksum in rows:
            if checksum != _checksum(fields):
                raise _damaged("a row is not as it was written")
        return [row[:-1] for row in rows]

    def _note(self, kind: str, name: str, profile: str) -> None:
        ((last,),) = self._connection.execute("SELECT coalesce(max(n), 0) FROM changes")
        change = (last + 1, kind.encode(), name.encode(), profile.encode())
        self._connection.execute(
            "INSERT INTO changes (n, kind, name, profile, checksum) VALUES (?, ?, ?, ?, ?)",
            (last + 1, kind, name, profile, _checksum(change)),
        )


def _checksum(fields: Sequence[object]) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(fields)).digest()


def _damaged(what: str) -> StoreFailedError:
    return StoreFailedError(f"keys.sqlite is damaged: {what}; restore it from a backup")
