"""Rounds: which checkpoint all witnesses are asked for next. The same one, or no two ever meet.

A collector cosigns what it happens to hold, in its batch answers; neighbours cosign what they
are asked. So the collector leads, and where it does not get on the newest checkpoint does.
"""

import asyncio
from collections.abc import Callable

from gateway.feed import Feed
from protocol import checkpoint as checkpoints


class Rounds:
    """`newest` gives the last signed note. Belongs to the event loop."""

    def __init__(self, newest: Callable[[], str], feed: Feed, every_ms: int) -> None:
        self._newest = newest
        self._feed = feed
        self.every_ms = every_ms
        self._led = ""  # the largest that the collector cosigned
        self._changed = asyncio.Event()
        self.note = ""
        self.size = 0

    def lead(self, note: str) -> None:
        """The collector has cosigned this note of ours."""
        if _size(note) > _size(self._led):
            self._led = note

    def next(self) -> None:
        """Begins the next round."""
        note = self._led if _size(self._led) > self.size else self._newest()
        if _size(note) > self.size:
            self.note, self.size = note, _size(note)
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def run(self) -> None:
        while True:
            await self._feed.signed_past(self.size)
            self.next()
            await asyncio.sleep(self.every_ms / 1000)

    async def past(self, size: int) -> str:
        """The note of the first round that is about more than `size` entries."""
        while self.size <= size:
            await self._changed.wait()
        return self.note


def _size(note: str) -> int:
    return checkpoints.unverified(note).size if note else 0
