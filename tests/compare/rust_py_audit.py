"""rust-py-audit 0.4.2: one JSON object a line, each with the hash of the one before; no key.

Runs under the rivals' Python. A body is base64 in `metadata`. The hash recipe is the
library's own: SHA-256 of compact JSON, the fields in this order, metadata sorted.
"""

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rust_py_audit

from tests.compare.systems import ELSEWHERE, Answer, CannotBeAskedError, body, disk_bytes

VERSION = rust_py_audit.__version__
ABOUT = "A line an event through AuditLogger, each question to a new one"
_HASHED = (
    "id", "timestamp", "app_name", "actor_id", "action", "resource", "resource_id",
    "metadata", "previous_hash",
)  # fmt: skip
Event = dict[str, Any]


class RustPyAudit:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "shed.jsonl"
        self._copy = folder / "copy.jsonl"
        self._shown = [self._log]  # a log a reader
        self._size = 0

    def fill(self, count: int) -> None:
        self._append(self._log, "shed", count)

    def remember(self) -> None:
        shutil.copy(self._log, self._copy)

    def do_nothing(self) -> None:
        return

    def edit_record(self) -> None:
        events = self._read()
        events[len(events) // 2]["actor_id"] = "cellar"
        self._write(events)

    def edit_and_recompute(self) -> None:
        events = self._read()
        events[len(events) // 2]["actor_id"] = "cellar"
        self._write(_chained(events))

    def edit_body(self) -> None:
        events = self._read()
        events[len(events) // 2]["metadata"]["body"] = _content(10**9)
        self._write(events)

    def edit_time(self) -> None:
        events = self._read()
        events[len(events) // 2]["timestamp"] = "2020-01-01T00:00:00Z"
        self._write(events)

    def delete_middle(self) -> None:
        events = self._read()
        del events[len(events) // 2]
        self._write(events)

    def swap_two(self) -> None:
        events = self._read()
        at = len(events) // 2
        events[at], events[at + 1] = events[at + 1], events[at]
        self._write(events)

    def truncate(self) -> None:
        self._write(self._read()[:-10])

    def roll_back(self) -> None:
        shutil.copy(self._copy, self._log)

    def rewrite_with_key(self) -> str:
        events = self._read()
        for n, event in enumerate(events):
            event["metadata"]["body"] = _content(10**9 + n)
        self._write(_chained(events))
        return "it has no key: rewriting needs none"

    def substitute(self) -> None:
        other = self._folder / "other.jsonl"
        self._append(other, "cellar", self._size)
        shutil.copy(other, self._log)

    def resurrect(self) -> None:
        raise CannotBeAskedError("it cannot delete a body")

    def split_view(self) -> None:
        """Both go on from the copy, by the library's own means."""
        self._append(self._copy, "shed", ELSEWHERE)
        self._shown = [self._log, self._copy]

    def ask(self) -> list[Answer]:
        return [self._asked_to_start(), self._asked_to_verify()]

    def fill_many(self, count: int) -> int:
        self.fill(count)
        return disk_bytes(self._folder)

    def open_many(self, count: int) -> Callable[[], int]:
        logger = rust_py_audit.AuditLogger("shed", str(self._log))

        def verify() -> int:
            found = logger.verify()
            assert found["valid"], found
            return int(found["total_events"])

        return verify

    def process_id(self) -> int:
        return os.getpid()

    def close(self) -> None:
        return

    def _asked_to_start(self) -> Answer:
        try:
            for log in self._shown:
                rust_py_audit.AuditLogger("shed", str(log))
        except ValueError as error:
            return Answer("start", True, str(error))
        return Answer("start", False, "the log opens")

    def _asked_to_verify(self) -> Answer:
        try:
            found = [rust_py_audit.AuditLogger("shed", str(log)).verify() for log in self._shown]
        except ValueError as error:
            return Answer("verify", True, str(error))
        return Answer("verify", not all(one["valid"] for one in found), json.dumps(found))

    def _append(self, log: Path, app: str, count: int) -> None:
        logger = rust_py_audit.AuditLogger(app, str(log))
        for n in range(self._size, self._size + count):
            metadata = {"body": _content(n)}
            logger.log(app, "reading", "temperature", str(n), metadata=metadata)
        self._size += count

    def _read(self) -> list[Event]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def _write(self, events: list[Event]) -> None:
        self._log.write_text("".join(f"{_compact(event)}\n" for event in events))


def _content(n: int) -> str:
    return base64.b64encode(body(n)).decode()


def _compact(fields: Event) -> str:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def _chained(events: list[Event]) -> list[Event]:
    """The same events with every hash computed again."""
    previous = None
    for event in events:
        event["previous_hash"] = previous
        hashed = _compact({field: event[field] for field in _HASHED})
        previous = event["hash"] = hashlib.sha256(hashed.encode()).hexdigest()
    return events


ATTACKED = TIMED = RustPyAudit
