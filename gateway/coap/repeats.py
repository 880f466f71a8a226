"""Repeats: when the readings of the last minutes were answered, so that a copy hears the same.

RFC 7252 §4.5: a duplicate CON is acknowledged as the first was, a duplicate NON is ignored. What
decides whether readings are stored is their number in the ledger, for ever; this only keeps the
one part of an answer that does not follow from the request and the ledger, its time. Past its
bound the oldest generation goes early, and a late copy hears a newer time.
"""

from gateway.coap.generations import Generations
from gateway.coap.table import Table

MAX_REQUESTS = 1 << 15  # a generation: 400 a second for 82 s, 1 MB
_KEY_MASK = (1 << 64) - 1


class Repeats:
    """A request's key is a hash of its sender and all of its bytes, so that a message id that is
    used again for something else is something else."""

    def __init__(self, now_ms: int, *, per_generation: int = MAX_REQUESTS) -> None:
        self._generations = Generations(lambda: Table(per_generation), now_ms)

    def remember(self, key: int, time_ms: int, now_ms: int) -> None:
        generations = self._generations
        generations.keep_up(now_ms)
        if not generations.all[0].put(_unsigned(key), time_ms):
            generations.turn_early(now_ms)
            generations.all[0].put(_unsigned(key), time_ms)

    def find(self, key: int, now_ms: int) -> int | None:
        """The time that was answered, None for a request that is new."""
        self._generations.keep_up(now_ms)
        for generation in self._generations.all:
            time_ms = generation.get(_unsigned(key))
            if time_ms is not None:
                return time_ms
        return None


def _unsigned(key: int) -> int:
    return key & _KEY_MASK or 1
