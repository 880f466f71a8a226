"""witness.sqlite: what a witness remembers, and the contradictions it was shown.

A witness is worth what it remembers: one that forgot could cosign a second history. So what
is put here is on stable storage before anybody hears of it, and a lost file is never made
again by itself.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import apsw

from gateway.errors import ConfigError, StoreFailedError
from gateway.store.sqlite import keep_journal, mapped_errors

MAX_EVIDENCE = 16  # an origin; the first ones say it best, and nobody can fill the disk
_BUSY_TIMEOUT_MS = 5000
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE cosigned (
    origin   TEXT PRIMARY KEY,
    note     TEXT NOT NULL,
    checksum BLOB NOT NULL  -- of the other columns, as in the other table
) STRICT;
CREATE TABLE evidence (
    n        INTEGER PRIMARY KEY,
    origin   TEXT NOT NULL,
    proven   INTEGER NOT NULL,
    held     TEXT NOT NULL,
    note     TEXT NOT NULL,
    proof    TEXT NOT NULL,
    seen_ms  INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    UNIQUE (origin, proven, note)
) STRICT;
"""
Result = TypeVar("Result")


class Evidence(NamedTuple):
    """Two notes of one origin that contradict each other.

    `proof` are the lines (base64) that were to show `note` to continue `held`. `proven`: the
    three convince anyone, or the two and the entries that are held; else they are what a sender
    could not explain.
    """

    held: str
    note: str
    proof: str
    proven: bool
    seen_ms: int = 0


class WitnessTable:
    """Any thread; one transaction at a time.

    ConfigError where the memory cannot be trusted, StoreFailedError where it cannot be read.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        elif not path.exists():
            raise lost(f"{path} is missing")
        self._alone = threading.Lock()
        with mapped_errors("witness.sqlite"):
            try:
                self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
                self._prepare(path, create)
            except (apsw.NotADBError, apsw.CorruptError) as error:
                raise lost(f"{path} is damaged: {error}") from error

    def transact(self, work: Callable[["Rows"], Result]) -> Result:
        """Run `work` alone: what it puts is on stable storage on return, or nothing is.

        If `work` raises, none of it is kept. After Store*Error ask again: the table knows.
        """
        with self._alone, mapped_errors("witness.sqlite"):
            if self._connection.in_transaction:  # the last one failed, and so did its rollback
                self._connection.execute("ROLLBACK")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(Rows(self._connection))
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return result

    def close(self) -> None:
        self._connection.close()

    def _prepare(self, path: Path, create: bool) -> None:
        self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
        # No write-ahead log: damage at its end looks like a power cut, and would be forgotten in
        # silence. In this mode "full" syncs the end of the journal, in "delete" it does not.
        keep_journal(self._connection, path, "truncate")
        self._connection.pragma("synchronous", "full")
        if create:
            with self._connection:
                self._connection.execute(_SCHEMA)
                self._connection.pragma("user_version", _SCHEMA_VERSION)
        if self._connection.pragma("user_version") != _SCHEMA_VERSION:
            raise lost(f"{path} is no witness's table of this version")
        if self._connection.pragma("integrity_check") != "ok":
            raise lost(f"{self._connection.filename} is damaged")


class Rows:
    """The table inside a transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute

    def origins(self) -> list[str]:
        rows = self._execute("SELECT CAST(origin AS BLOB) FROM cosigned ORDER BY origin")
        return [_text(origin) for (origin,) in rows]

    def cosigned(self, origin: str) -> str | None:
        """The last note of `origin` that was cosigned, with the lines it had then.

        StoreFailedError, as of every row, where it was damaged.
        """
        rows = self._execute(
            "SELECT CAST(note AS BLOB), checksum FROM cosigned WHERE origin = ?", (origin,)
        )
        for note, checksum in rows:
            _check(checksum, origin, _text(note))
            return _text(note)
        return None

    def put_cosigned(self, origin: str, note: str) -> None:
        self._execute(
            "INSERT OR REPLACE INTO cosigned (origin, note, checksum) VALUES (?, ?, ?)",
            (origin, note, _checksum(origin, note)),
        )

    def evidence(self, origin: str) -> list[Evidence]:
        """Oldest first."""
        rows = self._execute(
            "SELECT CAST(held AS BLOB), CAST(note AS BLOB), CAST(proof AS BLOB), proven, seen_ms,"
            " checksum FROM evidence WHERE origin = ? ORDER BY n",
            (origin,),
        )
        kept = []
        for held, note, proof, proven, seen_ms, checksum in rows:
            found = Evidence(_text(held), _text(note), _text(proof), bool(proven), seen_ms)
            _check(checksum, origin, *found)
            kept.append(found)
        return kept

    def put_evidence(self, origin: str, found: Evidence) -> None:
        """Keeps the first `MAX_EVIDENCE` of those that prove something, as of the others."""
        self._execute(
            "INSERT OR IGNORE INTO evidence (origin, proven, held, note, proof, seen_ms, checksum)"
            " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE"
            " (SELECT count(*) FROM evidence WHERE origin = ?1 AND proven = ?2) < ?8",
            (
                origin,
                int(found.proven),
                *found[:3],
                found.seen_ms,
                _checksum(origin, *found),
                MAX_EVIDENCE,
            ),
        )


def _checksum(*columns: object) -> bytes:
    return hashlib.sha256(repr(columns).encode()).digest()


def _check(stored: bytes, *columns: object) -> None:
    if stored != _checksum(*columns):
        raise StoreFailedError("witness.sqlite: a row is damaged")


def _text(stored: bytes) -> str:
    """Damaged text is for the signatures to find, not for SQLite's reader to choke on."""
    return stored.decode(errors="replace")


def lost(what: str) -> ConfigError:
    """There is no way back for this witness."""
    return ConfigError(
        f"{what}: a witness that does not know what it cosigned must not cosign again",
        "retire it: `tallystick new-witness DIR --name NEW-NAME`, and give the new key to those"
        " who trusted the old one",
    )
