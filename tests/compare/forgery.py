"""A ledger file changed by somebody who knows docs/wire-format.md, and nothing of our code.

Recomputes whatever needs no secret: body hashes, leaves, chain, stored subtree hashes. With
the ledger's own key it signs, too.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_TABLES = ("entries", "bodies")


class Forgery:
    """Kept when the `with` ends."""

    def __init__(self, ledger: Path) -> None:
        self._database = sqlite3.connect(ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._database.commit()
        self._database.close()

    def packs(self) -> list[int]:
        """The index of every reading."""
        found = self._database.execute("SELECT idx FROM entries WHERE kind = 'pack' ORDER BY idx")
        return [index for (index,) in found]

    def body(self, index: int) -> bytes:
        return self._value("body", "bodies", index)

    def set_body(self, index: int, body: bytes) -> None:
        self._execute("UPDATE bodies SET body = ? WHERE idx = ?", body, index)

    def commit_to_body(self, index: int) -> None:
        """The leaf of `index` with the hash of the body that is stored now: it ends with it."""
        salt, leaf = self._value("salt", "bodies", index), self._value("leaf", "entries", index)
        committed = leaf[:-32] + hashlib.sha256(salt + self.body(index)).digest()
        self._execute("UPDATE entries SET leaf = ? WHERE idx = ?", committed, index)

    def stored(self, index: int) -> tuple[bytes, bytes]:
        """Salt and body."""
        return self._value("salt", "bodies", index), self.body(index)

    def put_back(self, index: int, stored: tuple[bytes, bytes]) -> None:
        self._execute("INSERT INTO bodies (idx, salt, body) VALUES (?, ?, ?)", index, *stored)

    def set_time(self, index: int, by_ms: int) -> None:
        """Moves `received_ms`: in the leaf a 64-bit integer, whose CBOR head is 1b."""
        before = int(self._value("received_ms", "entries", index))
        written, wanted = (b"\x1b" + ms.to_bytes(8, "big") for ms in (before, before + by_ms))
        leaf = self._value("leaf", "entries", index).replace(written, wanted)
        changed = "UPDATE entries SET leaf = ?, received_ms = ? WHERE idx = ?"
        self._execute(changed, leaf, before + by_ms, index)

    def delete(self, first: int, last: int) -> None:
        for table in _TABLES:
            self._execute(f"DELETE FROM {table} WHERE idx BETWEEN ? AND ?", first, last)  # noqa: S608  # our own names

    def swap(self, one: int, other: int) -> None:
        """Each takes the place of the other, with all that is stored of it."""
        for table in _TABLES:
            moved = f"UPDATE {table} SET idx = ? WHERE idx = ?"  # noqa: S608  # our own names
            self._execute(moved, -1, one)
            self._execute(moved, one, other)
            self._execute(moved, other, -1)

    def relink(self) -> None:
        """Chain and stored subtree hashes as the leaves now are (wire-format §7.1)."""
        chain = bytes(32)
        hashes = self._leaf_hashes()
        for index, hashed in enumerate(hashes):
            chain = hashlib.sha256(chain + hashed).digest()
            self._execute("UPDATE entries SET chain = ? WHERE idx = ?", chain, index)
        for level, n in self._database.execute("SELECT level, n FROM nodes").fetchall():
            below = hashes[n << level : (n + 1) << level]
            changed = "UPDATE nodes SET hash = ? WHERE level = ? AND n = ?"
            self._execute(changed, tree_hash(below), level, n)

    def sign(self, signer_key: str) -> str:
        """A checkpoint of the whole ledger, in the file and returned (wire-format §7.3)."""
        _, _, key = signer_key.split("+", 2)
        origin, key_id, encoded = key.strip().split("+", 2)
        hashes = self._leaf_hashes()
        root = base64.b64encode(tree_hash(hashes)).decode()
        text = f"{origin}\n{len(hashes)}\n{root}\n"
        seed = base64.b64decode(encoded)[1:]
        signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
        line = base64.b64encode(bytes.fromhex(key_id) + signature).decode()
        note = f"{text}\n— {origin} {line}\n"
        self._execute("INSERT OR REPLACE INTO state VALUES ('checkpoint', ?)", note.encode())
        return note

    def _execute(self, sql: str, *values: object) -> None:
        assert self._database.execute(sql, values).rowcount > 0, sql

    def _value(self, column: str, table: str, index: int) -> Any:
        (value,) = self._database.execute(
            f"SELECT {column} FROM {table} WHERE idx = ?",  # noqa: S608  # our own names
            (index,),
        ).fetchone()
        return value

    def _leaf_hashes(self) -> list[bytes]:
        leaves = self._database.execute("SELECT leaf FROM entries ORDER BY idx")
        return [hashlib.sha256(b"\x00" + leaf).digest() for (leaf,) in leaves]


def tree_hash(hashes: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162 §2.1.1, over leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = tree_hash(hashes[:split]), tree_hash(hashes[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()
