"""audit-stream 0.1.0: a list in memory, each event with the hash of the one before; no key.

Runs under the rivals' Python. It keeps nothing on disk, so there is no file to attack: the
list is changed in its own process, as its own tests do. A start is what its app does then: an
empty store.
"""

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from audit_stream import AuditStore, GovernanceEvent
from audit_stream.models import PublishRequest
from audit_stream.store import GENESIS_HASH

from tests.compare.systems import ELSEWHERE, Answer, CannotBeAskedError, body

VERSION = version("audit-stream")
ABOUT = (
    "Keeps nothing on disk, and a start finds nothing. Its list is changed in its own process,"
    " as its own tests do"
)
Events = list[GovernanceEvent]


class AuditStream:
    def __init__(self, folder: Path) -> None:
        del folder  # it needs none
        self._loop = asyncio.Runner()
        self._store = AuditStore()
        self._shown = [self._store]  # a store a reader
        self._copy: Events = []

    def fill(self, count: int) -> None:
        self._append(self._store, "shed", count)

    def remember(self) -> None:
        self._copy = [event.model_copy(deep=True) for event in self._events]

    def do_nothing(self) -> None:
        return

    def edit_record(self) -> None:
        self._victim().source = "cellar"

    def edit_and_recompute(self) -> None:
        self._victim().source = "cellar"
        _chain(self._events)

    def edit_body(self) -> None:
        self._victim().payload["body"] = _content(10**9)

    def edit_time(self) -> None:
        self._victim().timestamp = "2020-01-01T00:00:00+00:00"

    def delete_middle(self) -> None:
        del self._events[len(self._events) // 2]

    def swap_two(self) -> None:
        at = len(self._events) // 2
        self._events[at], self._events[at + 1] = self._events[at + 1], self._events[at]

    def truncate(self) -> None:
        del self._events[-10:]

    def roll_back(self) -> None:
        self._events[:] = self._copy

    def rewrite_with_key(self) -> str:
        for n, event in enumerate(self._events):
            event.payload["body"] = _content(10**9 + n)
        _chain(self._events)
        return "it has no key: rewriting needs none"

    def substitute(self) -> None:
        other = AuditStore()
        self._append(other, "cellar", len(self._events))
        self._events[:] = other._events

    def resurrect(self) -> None:
        raise CannotBeAskedError("it cannot delete a body")

    def split_view(self) -> None:
        """A second store goes on from the copy."""
        other = AuditStore()
        other._events = self._copy
        self._append(other, "shed", ELSEWHERE)
        self._shown = [self._store, other]

    def ask(self) -> list[Answer]:
        found = [self._verified(store) for store in self._shown]
        restarted = self._verified(AuditStore())
        return [
            Answer("verify", not all(valid for valid, _ in found), json.dumps(found)),
            Answer("start", not restarted[0], f"everything is lost, and verify says {restarted}"),
        ]

    def fill_many(self, count: int) -> int:
        return 0

    def open_many(self, count: int) -> Callable[[], int]:
        self.fill(count)

        def verify() -> int:
            valid, checked = self._verified(self._store)
            assert valid
            return checked

        return verify

    def process_id(self) -> int:
        return os.getpid()

    def close(self) -> None:
        self._loop.close()

    @property
    def _events(self) -> Events:
        return self._store._events

    def _victim(self) -> GovernanceEvent:
        return self._events[len(self._events) // 2]

    def _verified(self, store: AuditStore) -> tuple[bool, int]:
        found = self._loop.run(store.verify_chain())
        return found.valid, found.checked

    def _append(self, store: AuditStore, source: str, count: int) -> None:
        async def append() -> None:
            start = await store.count()
            for n in range(start, start + count):
                payload = {"body": _content(n)}
                await store.append(PublishRequest(kind="other", source=source, payload=payload))

        self._loop.run(append())


def _content(n: int) -> str:
    return base64.b64encode(body(n)).decode()


def _chain(events: Events) -> None:
    """Every hash computed again, by its one-sentence recipe."""
    previous = GENESIS_HASH
    for event in events:
        event.prev_hash = previous
        hashed = event.model_dump(exclude={"hash"})
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
        previous = event.hash = hashlib.sha256(text.encode()).hexdigest()


ATTACKED = TIMED = AuditStream
