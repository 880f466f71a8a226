"""AuditeDB's event chain, written by whoever has its key. Its own verify accepts what this writes.

hmac = HMAC-SHA256(key, F("prev", …) F("type", …) F("target", …) F("body-sha256", …)
                        F("size", …) F("content-type", …) F("meta-sha256", …))
F(label, value) = label 0x00 decimal length 0x00 value 0x00
"""

import hashlib
import hmac
import sqlite3
from collections.abc import Sequence

_TYPE = "application/octet-stream"
_META = hashlib.sha256(b"content-type\0" + _TYPE.encode() + b"\0").hexdigest()
_INSERT = (
    "INSERT INTO events (timestamp, event_type, target, body_sha256, size, content_type,"
    " meta_sha256, hmac, prev_hmac) VALUES ('2026-01-01 00:00:00', 'put', ?, ?, ?, ?, ?, ?, ?)"
)


class Chain:
    """Goes on after `previous`, the HMAC of the newest event; "" where there is none."""

    def __init__(self, key: str, path: str, previous: str = "") -> None:
        self._key = key.encode()
        self._path = path
        self._previous = previous

    @staticmethod
    def newest(database: sqlite3.Connection) -> str:
        (value,) = database.execute("SELECT hmac FROM events ORDER BY id DESC LIMIT 1").fetchone()
        return str(value)

    def write(self, database: sqlite3.Connection, bodies: Sequence[bytes]) -> None:
        """An event for each body, and the last as what is served."""
        database.executemany(_INSERT, [self._event(body) for body in bodies])
        database.execute("UPDATE stage_meta SET body = ?", (bodies[-1],))

    def _event(self, body: bytes) -> tuple[str | int, ...]:
        digest, previous = hashlib.sha256(body).hexdigest(), self._previous
        signed = b"".join(
            (
                _field("prev", previous),
                _field("type", "put"),
                _field("target", self._path),
                _field("body-sha256", digest),
                _field("size", str(len(body))),
                _field("content-type", _TYPE),
                _field("meta-sha256", _META),
            )
        )
        self._previous = hmac.new(self._key, signed, "sha256").hexdigest()
        return self._path, digest, len(body), _TYPE, _META, self._previous, previous


def _field(label: str, value: str) -> bytes:
    return f"{label}\0{len(value.encode())}\0{value}\0".encode()
