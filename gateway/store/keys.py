"""keys.sqlite: the devices' secrets, apart from the ledger, readable by the owner only.

Written by `tallystick device …`, read by the gateway, which notices changes by itself. Each
change is numbered, so that the gateway can put it into the ledger exactly once.
"""

import os
from pathlib import Path
from typing import NamedTuple

import apsw

from gateway.errors import ConfigError
from gateway.store.sqlite import mapped_errors, transaction

ENROLLED, REVOKED = "enrolled", "revoked"
_BUSY_TIMEOUT_MS = 5000
_SCHEMA = """
CREATE TABLE devices (
    name     TEXT PRIMARY KEY,
    profile  TEXT NOT NULL,
    secret   BLOB NOT NULL,
    revoked  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE changes (
    n        INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    profile  TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
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
        with mapped_errors():
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            # "full" does not sync the directory after a commit: a power cut could bring the
            # journal back, and with it undo a revocation that was answered
            self._connection.pragma("synchronous", "extra")
            if create:
                with self._connection:
                    self._connection.execute(_SCHEMA)

    def version(self) -> int:
        """Changes whenever another process has written."""
        with mapped_errors():
            return int(self._connection.pragma("data_version"))

    def devices(self) -> list[StoredDevice]:
        with mapped_errors():
            rows = list(
                self._connection.execute(
                    "SELECT name, profile, secret, revoked FROM devices ORDER BY name"
                )
            )
        return [
            StoredDevice(name, profile, secret, bool(gone)) for name, profile, secret, gone in rows
        ]

    def changes(self, after: int) -> list[Change]:
        with mapped_errors():
            rows = list(
                self._connection.execute(
                    "SELECT n, kind, name, profile FROM changes WHERE n > ? ORDER BY n", (after,)
                )
            )
        return [Change._make(row) for row in rows]

    def add(self, name: str, secret: bytes, *, profile: str = "mac") -> None:
        """Enrols a device; ConfigError where the name was ever used."""
        with transaction(self._connection):
            try:
                self._connection.execute(
                    "INSERT INTO devices (name, profile, secret) VALUES (?, ?, ?)",
                    (name, profile, secret),
                )
            except apsw.ConstraintError as error:
                raise ConfigError(
                    f"there is a device {name!r} already", "choose another name, or revoke it"
                ) from error
            self._note(ENROLLED, name, profile)

    def revoke(self, name: str) -> None:
        """Nothing the device sends is accepted from now on; ConfigError where there is none."""
        with transaction(self._connection):
            rows = list(
                self._connection.execute(
                    "UPDATE devices SET revoked = 1 WHERE name = ? AND NOT revoked"
                    " RETURNING profile",
                    (name,),
                )
            )
            if not rows:
                raise ConfigError(
                    f"no active device {name!r}", "see `tallystick device list --dir DIR`"
                )
            self._note(REVOKED, name, rows[0][0])

    def close(self) -> None:
        self._connection.close()

    def _note(self, kind: str, name: str, profile: str) -> None:
        self._connection.execute(
            "INSERT INTO changes (kind, name, profile) VALUES (?, ?, ?)", (kind, name, profile)
        )
