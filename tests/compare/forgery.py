"""A ledger file changed by somebody who knows docs/wire-format.md, and nothing of our code.

Recomputes whatever needs no secret: body hashes, leaves, chain, stored subtree hashes. With
the ledger's own key it signs, too.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_STORED = 8  # levels between the subtree hashes that a file stores


class Forgery:
    """Close it to keep what was changed."""

    def __init__(self, ledger: Path) -> None:
        self._database = sqlite3.connect(ledger)
        apart = self._database.execute("PRAGMA table_info(bodies)").fetchall()
        self._bodies = "bodies" if apart else "entries"

    def execute(self, sql: str, *values: object) -> None:
        assert self._database.execute(sql, values).rowcount > 0, sql

    def packs(self) -> list[int]:
        """The index of every reading."""
        found = self._database.execute("SELECT idx FROM entries WHERE kind = 'pack' ORDER BY idx")
        return [index for (index,) in found]

    def body(self, index: int) -> bytes:
        return self._value("body", self._bodies, index)

    def set_body(self, index: int, body: bytes) -> None:
        changed = f"UPDATE {self._bodies} SET body = ? WHERE idx = ?"  # noqa: S608  # our own names
        self.execute(changed, body, index)

    def commit_to_body(self, index: int) -> None:
        """The leaf of `index` with the hash of the body that is stored now: it ends with it."""
        salt, leaf = self._value("salt", self._bodies, index), self._value("leaf", "entries", index)
        committed = leaf[:-32] + hashlib.sha256(salt + self.body(index)).digest()
        self.execute("UPDATE entries SET leaf = ? WHERE idx = ?", committed, index)

    def set_time(self, index: int, by_ms: int) -> None:
        """Moves `received_ms`: in the leaf a 64-bit integer, whose CBOR head is 1b."""
        before = int(self._value("received_ms", "entries", index))
        written, wanted = (b"\x1b" + ms.to_bytes(8, "big") for ms in (before, before + by_ms))
        leaf = self._value("leaf", "entries", index).replace(written, wanted)
        changed = "UPDATE entries SET leaf = ?, received_ms = ? WHERE idx = ?"
        self.execute(changed, leaf, before + by_ms, index)

    def relink(self) -> None:
        """Chain and stored subtree hashes as the leaves now are (wire-format §7.1)."""
        chain = bytes(32)
        hashes = self._leaf_hashes()
        for index, hashed in enumerate(hashes):
            chain = hashlib.sha256(chain + hashed).digest()
            self.execute("UPDATE entries SET chain = ? WHERE idx = ?", chain, index)
        for level, n in self._database.execute("SELECT level, n FROM nodes").fetchall():
            below = hashes[n << level : (n + 1) << level]
            changed = "UPDATE nodes SET hash = ? WHERE level = ? AND n = ?"
            self.execute(changed, tree_hash(below), level, n)

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
        self.execute("INSERT OR REPLACE INTO state VALUES ('checkpoint', ?)", note.encode())
        return note

    def close(self) -> None:
        self._database.commit()
        self._database.close()

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
