"""Dedup: what was answered to the requests of the last minutes, so that none is executed twice.

RFC 7252 §4.5: a message id may come again from the same endpoint for EXCHANGE_LIFETIME. A
request takes about 40 bytes with its answer. Pure; a request's key is a keyed hash of who and
which (`key_of`), so that no peer can make two of them meet.
"""

import hashlib

from gateway.coap.generations import Generations
from gateway.coap.table import Table

ANSWER_BYTES = 256
_LENGTH_BYTES = 2
PENDING = b""  # begun, and not answered yet
_UNANSWERED = 0  # for an offset into a generation's answers


def key_of(secret: bytes, endpoint: bytes, message_id: int) -> int:
    """64 bits, never 0. `endpoint` is the peer's address and port."""
    data = message_id.to_bytes(2, "big") + endpoint
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, key=secret).digest(), "big") or 1


class Dedup:
    """`per_generation`: how many requests, a power of two; more are refused, not forgotten.

    Their answers may take ANSWER_BYTES each on average.
    """

    def __init__(self, now_ms: int, *, per_generation: int) -> None:
        self._generations = Generations(lambda: _Generation(per_generation), now_ms)

    def find(self, key: int, now_ms: int) -> bytes | None:
        """The answer to this request, PENDING, or None where it is new."""
        self._generations.keep_up(now_ms)
        for generation in self._generations.all:
            answer = generation.find(key)
            if answer is not None:
                return answer
        return None

    def begin(self, key: int, now_ms: int) -> bool:
        """Remembers that a new request is being executed; False where no more can be."""
        self._generations.keep_up(now_ms)
        return self._generations.all[0].begin(key)

    def finish(self, key: int, answer: bytes) -> None:
        """Remembers the answer to a request that was begun, at most 65535 bytes."""
        for generation in self._generations.all:
            if generation.finish(key, answer):
                return

    def forget(self, key: int) -> None:
        """Nothing was executed: if it comes again, it is new."""
        for generation in self._generations.all:
            generation.forget(key)


class _Generation:
    def __init__(self, capacity: int) -> None:
        self._offsets = Table(capacity)
        self._max_bytes = capacity * ANSWER_BYTES
        self._answers = bytearray(1)  # each with its length before it; offset 0 is none

    def find(self, key: int) -> bytes | None:
        offset = self._offsets.get(key)
        if offset is None:
            return None
        if offset == _UNANSWERED:
            return PENDING
        start = offset + _LENGTH_BYTES
        length = int.from_bytes(self._answers[offset:start], "big")
        return bytes(self._answers[start : start + length])

    def begin(self, key: int) -> bool:
        return len(self._answers) <= self._max_bytes and self._offsets.put(key, _UNANSWERED)

    def finish(self, key: int, answer: bytes) -> bool:
        if self._offsets.get(key) != _UNANSWERED:
            return False
        self._offsets.put(key, len(self._answers))
        self._answers += len(answer).to_bytes(_LENGTH_BYTES, "big") + answer
        return True

    def forget(self, key: int) -> None:
        self._offsets.remove(key)
