"""Repeats: when the readings of the last minutes were answered, so that a copy hears the same.

RFC 7252 §4.5: a duplicate CON is acknowledged as the first was, a duplicate NON is ignored. What
decides whether readings are stored is their number in the ledger, for ever; this only keeps the
one part of an answer that does not follow from the request and the ledger, its time. Four
generations of integers, about 80 bytes a request and nothing for the garbage collector; past
its bound the oldest generation goes early, and a late copy hears a newer time.
"""

from gateway.coap.dedup import LIFETIME_MS

_GENERATIONS = 4
MAX_REQUESTS = 1 << 17  # a generation: 1600 a second for 82 s, 10 MB


class Repeats:
    """A request's key is a hash of its sender and all of its bytes, so that a message id that is
    used again for something else is something else."""

    def __init__(self, now_ms: int) -> None:
        self._generations: list[dict[int, int]] = [{} for _ in range(_GENERATIONS)]
        self._rotated_ms = now_ms

    def remember(self, key: int, time_ms: int, now_ms: int) -> None:
        newest = self._generations[0]
        old = now_ms - self._rotated_ms >= LIFETIME_MS / (_GENERATIONS - 1)
        if old or len(newest) >= MAX_REQUESTS:
            newest = {}
            self._generations = [newest, *self._generations[:-1]]
            self._rotated_ms = now_ms
        newest[key] = time_ms

    def find(self, key: int) -> int | None:
        """The time that was answered, None for a request that is new."""
        for generation in self._generations:
            time_ms = generation.get(key)
            if time_ms is not None:
                return time_ms
        return None
