"""A ledger file as `verify` reads it: read-only, beside whoever writes it.

Each page is a read transaction of its own, so a writer is never held up for longer.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

from protocol.errors import TamperedError
from protocol.rulings import RULING, Ruling
from tools.sources import BESIDE, GIVEN, NO_KEY, Row, UnusableError, text_of

PAGE = 256  # entries; a whole subtree
_BUSY_TIMEOUT_MS = 5000
_MAX_BYTES, _FEW = 4 << 20, 8  # with more bytes of bodies in a page, so many entries at once
_SCAN = 16_384  # entries that are looked at for rulings in one read transaction
_STEP = 8  # levels between stored subtree hashes
# Whoever made the file chose the types of its columns, too: what comes out is always ours.
_ROWS = (
    "SELECT entries.idx, CAST(coalesce(kind, '') AS BLOB), CAST(coalesce(source, '') AS BLOB),"
    " CAST(coalesce(received_ms, 0) AS INTEGER), CAST(coalesce(leaf, '') AS BLOB),"
    " CAST(coalesce(chain, '') AS BLOB), CAST(coalesce(salt, '') AS BLOB),"
    " CAST(body AS BLOB)"
    " FROM entries LEFT JOIN bodies ON bodies.idx = entries.idx"
    " WHERE entries.idx >= ? AND entries.idx < ?"
)
_BODY_BYTES = "SELECT coalesce(sum(length(body)), 0) FROM bodies WHERE idx >= ? AND idx < ?"
_STRAY_NODES = (
    "SELECT level, n FROM nodes WHERE level < ? OR level > 56 OR level % ? OR n < 0"
    " OR n + 1 > (SELECT coalesce(max(idx) + 1, 0) FROM entries) >> level LIMIT 1"
)
_STRAY_ROWS = (
    "SELECT (SELECT coalesce(min(idx), 0) FROM entries), (SELECT coalesce(max(idx), -1)"
    " FROM entries), (SELECT coalesce(min(idx), 0) FROM bodies WHERE idx < 0),"
    " (SELECT coalesce(max(idx), -1) FROM bodies)"
)


class LedgerFile:
    """UnusableError, from every method, where SQLite cannot read the file.

    `is_copy` is for whoever knows where the file is from to say; None: go by the file itself.
    """

    way = "the file, beside whoever writes it"
    shows_nodes = True

    def __init__(
        self, path: Path, vkey: str = "", beside: str = "", *, is_copy: bool | None = None
    ) -> None:
        self.name = str(path)
        self.trust(vkey, beside)
        self._database = _opened(path)
        try:
            # the file first: the ledger only grows, so that it then covers every note
            notes = [
                text_of(path.with_name("checkpoint")),
                self._state("checkpoint"),
                self._state("anchored"),
            ]
            self.notes = [note for note in dict.fromkeys(notes) if note]
            self.origin = self._state("origin")
            self.calls_itself_copy = is_copy is None and self._state("role") == "collector"
            self.is_copy = is_copy or self.calls_itself_copy
            self.look_again()
        except UnusableError:
            self._database.close()
            raise

    def trust(self, vkey: str, beside: str) -> None:
        """The key that was given, else the one that lay beside the ledger, else none."""
        self.vkey = vkey or beside
        self.key_from = GIVEN if vkey else BESIDE if beside else NO_KEY

    def rows(self, start: int, stop: int) -> list[Row]:
        end = min(stop, (start // PAGE + 1) * PAGE)
        ((size_bytes,),) = self._all(_BODY_BYTES, start, end)
        if size_bytes > _MAX_BYTES:
            end = min(end, start + _FEW)
        return self._all(f"{_ROWS} ORDER BY entries.idx", start, end)

    def rulings(self, start: int, stop: int) -> Iterator[Ruling]:
        kinds = ", ".join(f"'{kind}'" for kind in RULING)
        for first in range(start, stop, _SCAN):
            end = min(first + _SCAN, stop)
            for row in self._all(f"{_ROWS} AND kind IN ({kinds}) ORDER BY entries.idx", first, end):
                index, kind, _, _, leaf, _, salt, body = row
                yield Ruling(index, kind.decode(), leaf, salt, body)

    def look_again(self) -> None:
        ((self.size,),) = self._all("SELECT coalesce(max(idx) + 1, 0) FROM entries")

    def check_node(self, level: int, n: int, value: bytes) -> None:
        found = self._all("SELECT hash FROM nodes WHERE level = ? AND n = ?", level, n)
        if found != [(value,)]:
            raise _wrong_node(level, n)

    def check_strays(self) -> None:
        for level, n in self._all(_STRAY_NODES, _STEP, _STEP):
            raise _wrong_node(level, n)
        ((first, last, first_body, last_body),) = self._all(_STRAY_ROWS)
        if first < 0:
            raise TamperedError(first, "an entry before the first one")
        if first_body < 0 or last_body > last:
            raise TamperedError(first_body or last_body, "a body without an entry")

    def close(self) -> None:
        self._database.close()

    def _all(self, sql: str, *values: int | str) -> list[Any]:
        try:
            return self._database.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise UnusableError(f"{self.name}: SQLite cannot read it: {error}") from error

    def _state(self, key: str) -> str:
        found = self._all("SELECT CAST(value AS BLOB) FROM state WHERE key = ?", key)
        return found[0][0].decode(errors="replace") if found else ""


def cosigned(path: Path, origin: str) -> list[str]:
    """The note of `origin` that the witness beside a collector's ledgers cosigned last, if any."""
    if not path.is_file():
        return []
    database = _opened(path)
    try:
        rows = database.execute("SELECT note FROM cosigned WHERE origin = ?", (origin,)).fetchall()
    except apsw.Error as error:
        raise UnusableError(f"{path}: SQLite cannot read it: {error}") from error
    finally:
        database.close()
    return [str(note) for (note,) in rows]


def _opened(path: Path) -> apsw.Connection:
    """Read-only, and patient: whoever writes may be emptying the log."""
    try:
        database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error as error:
        raise UnusableError(f"{path}: SQLite cannot open it: {error}") from error
    database.set_busy_timeout(_BUSY_TIMEOUT_MS)
    return database


def _wrong_node(level: int, n: int) -> TamperedError:
    return TamperedError(n << level, f"the stored hash of subtree ({level}, {n}) is wrong")
