"""control.sqlite: what devices are to be told, and how far each has come with it.

Written by `tallystick device config` and `device command`, and by the gateway, which notices the
others' changes. It may hold a Wi-Fi password: readable by the owner only. Each change is numbered,
so that the gateway can put it into the ledger exactly once, before any device hears of it.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from gateway.errors import CommandsFullError, ConfigError, StoreFailedError
from gateway.store.sqlite import mapped_errors, transaction

CONFIG, COMMAND = "config", "command"  # the kinds of entries
MAX_WAITING = 16  # commands of one device
_KEPT_COMMANDS = 64  # of one device, done ones included; the ledger has all
_KEPT_CHANGES = 256  # that are in the ledger already
_BUSY_TIMEOUT_MS = 5000
_SCHEMA_VERSION = 1
_SCHEMA = f"""
CREATE TABLE configs (
    name     TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    text     BLOB NOT NULL,
    n        INTEGER NOT NULL,  -- the change that it came with
    checksum BLOB NOT NULL      -- of the other columns, see _checksum
) STRICT;
CREATE TABLE commands (
    name     TEXT NOT NULL,
    id       INTEGER NOT NULL,
    command  TEXT NOT NULL,
    argument TEXT NOT NULL,
    who      TEXT NOT NULL,
    given_ms INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    PRIMARY KEY (name, id)
) STRICT;
CREATE TABLE heard (  -- what a device said in its last question, and the last command it was told
    name     TEXT PRIMARY KEY,
    known    INTEGER NOT NULL,
    runs     INTEGER NOT NULL,
    done     INTEGER NOT NULL,
    told     INTEGER NOT NULL,
    asked_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE changes (
    n        INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    body     BLOB NOT NULL,
    checksum BLOB NOT NULL
) STRICT;
CREATE TABLE facts (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
PRAGMA user_version = {_SCHEMA_VERSION};
"""


class StoredConfig(NamedTuple):
    """`text` may hold secrets; do not log it."""

    name: str
    version: int
    text: bytes
    n: int


class StoredCommand(NamedTuple):
    name: str
    id: int
    command: str
    argument: str
    who: str
    given_ms: int
    n: int


class Heard(NamedTuple):
    name: str
    known: int = 0
    runs: int = 0
    done: int = 0
    told: int = 0
    asked_ms: int = 0


class Change(NamedTuple):
    n: int
    kind: str
    name: str
    body: bytes


class Order(NamedTuple):
    """A command that somebody gives a device."""

    command: str
    argument: str
    who: str
    given_ms: int


class ControlStore:
    """Makes the file where there is none: then nobody was told anything yet."""

    def __init__(self, path: Path) -> None:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            pass
        except FileNotFoundError as error:
            raise ConfigError(f"no {path.parent}", "run `tallystick init DIR` first") from error
        with mapped_errors(path.name):
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            self._connection.pragma("synchronous", "extra")  # as for keys.sqlite
        with transaction(self._connection):
            if self._connection.pragma("user_version") == 0:
                self._connection.execute(_SCHEMA)
                # a file that was lost numbers its changes anew: never under the same epoch
                self._set("epoch", int.from_bytes(os.urandom(4), "big"))
        self._check(path)
        self.epoch = self._fact("epoch")

    def version(self) -> int:
        """Changes whenever another process has written."""
        with mapped_errors():
            return int(self._connection.pragma("data_version"))

    def configs(self) -> list[StoredConfig]:
        """StoreFailedError where a row was damaged; so do all others."""
        rows = self._rows("SELECT name, version, text, n, checksum FROM configs ORDER BY name")
        return [StoredConfig(*row) for row in rows]

    def commands(self) -> list[StoredCommand]:
        """In the order of their ids, for each device."""
        rows = self._rows(
            "SELECT name, id, command, argument, who, given_ms, n, checksum FROM commands"
            " ORDER BY name, id"
        )
        return [StoredCommand(*row) for row in rows]

    def heard(self) -> dict[str, Heard]:
        with mapped_errors():
            rows = self._connection.execute(
                "SELECT name, known, runs, done, told, asked_ms FROM heard"
            )
            return {row[0]: Heard(*row) for row in rows}

    def changes(self, after: int) -> list[Change]:
        rows = self._rows(
            "SELECT n, kind, name, body, checksum FROM changes WHERE n > ? ORDER BY n", after
        )
        return [Change(*row) for row in rows]

    def set_config(self, name: str, text: bytes, body_of: Callable[[int], bytes]) -> int:
        """The version it gets, which no version of this device had before."""
        with transaction(self._connection):
            heard = self.heard().get(name, Heard(name))
            held = [config.version for config in self.configs() if config.name == name]
            version = max([heard.known, heard.runs, *held]) + 1
            n = self._note(CONFIG, name, body_of(version))
            row = (name, version, text, n)
            self._connection.execute(
                "INSERT OR REPLACE INTO configs VALUES (?, ?, ?, ?, ?)", (*row, _checksum(row))
            )
        return version

    def add_command(self, name: str, order: Order, body_of: Callable[[int], bytes]) -> int:
        """Its id; CommandsFullError where too many wait."""
        with transaction(self._connection):
            heard = self.heard().get(name, Heard(name))
            ids = [command.id for command in self.commands() if command.name == name]
            if sum(id_ > heard.done for id_ in ids) >= MAX_WAITING:
                raise CommandsFullError(f"{MAX_WAITING} commands wait for {name!r} already")
            id_ = max([heard.done, heard.told, *ids]) + 1
            n = self._note(COMMAND, name, body_of(id_))
            row = (name, id_, order.command, order.argument, order.who, order.given_ms, n)
            self._connection.execute(
                "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, _checksum(row))
            )
            self._connection.execute(
                "DELETE FROM commands WHERE name = ? AND id <= ?", (name, id_ - _KEPT_COMMANDS)
            )
        return id_

    def hear(self, heard: Heard) -> None:
        with transaction(self._connection):
            self._connection.execute(
                "INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?, ?)", tuple(heard)
            )

    def noted(self, n: int) -> None:
        """All changes up to `n` are in the ledger; the oldest of them are forgotten."""
        with transaction(self._connection):
            self._connection.execute("DELETE FROM changes WHERE n <= ?", (n - _KEPT_CHANGES,))

    def close(self) -> None:
        self._connection.close()

    def _check(self, path: Path) -> None:
        with mapped_errors(path.name):
            version = self._connection.pragma("user_version")
            found = self._connection.pragma("integrity_check")
        if version != _SCHEMA_VERSION:
            raise ConfigError(
                f"{path} has schema {version}, this program {_SCHEMA_VERSION}",
                "use the version of tallystick that wrote it, or restore a backup",
            )
        if found != "ok":
            raise ConfigError(f"{path} is damaged: {found}", "restore a backup")

    def _note(self, kind: str, name: str, body: bytes) -> int:
        n = self._fact("changes") + 1
        self._set("changes", n)
        row = (n, kind, name, body)
        self._connection.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?, ?)", (*row, _checksum(row))
        )
        return n

    def _rows(self, sql: str, *values: object) -> list[Any]:
        """Rows without their last column, which is the checksum of the others."""
        with mapped_errors():
            rows = list(self._connection.execute(sql, values))
        for *fields, checksum in rows:
            if checksum != _checksum(fields):
                raise StoreFailedError("control.sqlite is damaged: restore it from a backup")
        return [row[:-1] for row in rows]

    def _fact(self, key: str) -> int:
        with mapped_errors():
            rows = list(self._connection.execute("SELECT value FROM facts WHERE key = ?", (key,)))
        return int(rows[0][0]) if rows else 0

    def _set(self, key: str, value: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))


def _checksum(fields: Sequence[object]) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode(list(fields))).digest()
