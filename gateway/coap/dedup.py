"""Dedup: what was answered to the requests of the last minutes, so that none is executed twice.

RFC 7252 §4.5: a message id may come again from the same endpoint for EXCHANGE_LIFETIME. Four
generations of a third of that: a request is remembered for 247 to 329 s. Each generation is a
table of fixed size with open addressing, about 40 bytes a request with its answer, and nothing
for the garbage collector to walk through. Pure; a request's key is a keyed hash of who and which
(`key_of`), so that no peer can make two of them meet.
"""

import hashlib
from array import array

LIFETIME_MS = 247_000  # EXCHANGE_LIFETIME (RFC 7252 §4.8.2)
ANSWER_BYTES = 256
_LENGTH_BYTES = 2
PENDING = b""  # begun, and not answered yet
_GENERATIONS = 4
_UNANSWERED, _FORGOTTEN = 0, 0xFFFFFFFF  # for an offset into a generation's answers


def key_of(secret: bytes, endpoint: bytes, message_id: int) -> int:
    """64 bits, never 0. `endpoint` is the peer's address and port."""
    data = message_id.to_bytes(2, "big") + endpoint
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, key=secret).digest(), "big") or 1


class Dedup:
    """`per_generation`: how many requests, a power of two; more are refused, not forgotten.

    Their answers may take ANSWER_BYTES each on average.
    """

    def __init__(self, now_ms: int, *, per_generation: int) -> None:
        self._per_generation = per_generation
        self._rotated_ms = now_ms
        self._generations = [_Generation(per_generation) for _ in range(_GENERATIONS)]

    def find(self, key: int) -> bytes | None:
        """The answer to this request, PENDING, or None where it is new."""
        for generation in self._generations:
            answer = generation.find(key)
            if answer is not None:
                return answer
        return None

    def begin(self, key: int, now_ms: int) -> bool:
        """Remembers that a new request is being executed; False where no more can be."""
        if now_ms - self._rotated_ms >= LIFETIME_MS / (_GENERATIONS - 1):
            self._rotated_ms = now_ms
            self._generations.pop()
            self._generations.insert(0, _Generation(self._per_generation))
        return self._generations[0].begin(key)

    def finish(self, key: int, answer: bytes) -> None:
        """Remembers the answer to a request that was begun, at most 65535 bytes."""
        for generation in self._generations:
            if generation.finish(key, answer):
                return

    def forget(self, key: int) -> None:
        """Nothing was executed: if it comes again, it is new."""
        for generation in self._generations:
            generation.forget(key)


class _Generation:
    def __init__(self, capacity: int) -> None:
        slots = 2 * capacity  # half full at most: a probe is short
        self._keys = array("Q", bytes(8 * slots))
        self._offsets = array("I", bytes(4 * slots))
        self._mask = slots - 1
        self._free = capacity
        self._max_bytes = capacity * ANSWER_BYTES
        self._answers = bytearray(1)  # each with its length before it; offset 0 is none

    def find(self, key: int) -> bytes | None:
        at = self._slot(key)
        offset = self._offsets[at]
        if not self._keys[at] or offset == _FORGOTTEN:
            return None
        if offset == _UNANSWERED:
            return PENDING
        start = offset + _LENGTH_BYTES
        length = int.from_bytes(self._answers[offset:start], "big")
        return bytes(self._answers[start : start + length])

    def begin(self, key: int) -> bool:
        at = self._slot(key)
        if not self._keys[at]:
            if not self._free or len(self._answers) > self._max_bytes:
                return False
            self._free -= 1
            self._keys[at] = key
        self._offsets[at] = _UNANSWERED
        return True

    def finish(self, key: int, answer: bytes) -> bool:
        at = self._slot(key)
        if not self._keys[at] or self._offsets[at] != _UNANSWERED:
            return False
        self._offsets[at] = len(self._answers)
        self._answers += len(answer).to_bytes(_LENGTH_BYTES, "big") + answer
        return True

    def forget(self, key: int) -> None:
        at = self._slot(key)
        if self._keys[at]:
            self._offsets[at] = _FORGOTTEN

    def _slot(self, key: int) -> int:
        """Where `key` is, or would be."""
        at = key & self._mask
        while self._keys[at] and self._keys[at] != key:
            at = (at + 1) & self._mask
        return at
