"""Generations: what is remembered as long as a message id may come again, and then forgotten.

RFC 7252 §4.5: it may for EXCHANGE_LIFETIME. There are four generations of a third of that: what
is put into the newest stays for 247 to 330 s, and nothing has a timer of its own. Pure.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

LIFETIME_MS = 247_000  # EXCHANGE_LIFETIME (RFC 7252 §4.8.2)
_COUNT = 4
_EACH_MS = -(-LIFETIME_MS // (_COUNT - 1))
Generation = TypeVar("Generation")


class Generations(Generic[Generation]):
    """`make` makes an empty one. `all` has the newest first."""

    def __init__(self, make: Callable[[], Generation], now_ms: int) -> None:
        self._make = make
        self._since_ms = now_ms
        self.all = [make() for _ in range(_COUNT)]

    def keep_up(self, now_ms: int) -> None:
        """Forgets what is too old by now, however long nobody has asked."""
        passed = (now_ms - self._since_ms) // _EACH_MS
        if not passed:
            return
        self._since_ms += passed * _EACH_MS
        for _ in range(min(passed, _COUNT)):
            self._turn()

    def turn_early(self, now_ms: int) -> None:
        """The newest is full: the oldest goes before its time."""
        self._since_ms = now_ms
        self._turn()

    def _turn(self) -> None:
        self.all = [self._make(), *self.all[:-1]]
