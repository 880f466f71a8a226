"""Table: many 64-bit numbers by 64-bit keys, in bounded memory.

Open addressing in two arrays: 34 bytes a key when it is full, and nothing for the garbage
collector to walk through. Takes no memory before its first key.
"""

from array import array


class Table:
    """Keys are hashes that nobody can foresee, never 0. `capacity` is a power of two."""

    def __init__(self, capacity: int) -> None:
        self._keys = array("Q", (0,))
        self._numbers = array("Q", (0,))
        self._mask = 0
        self._capacity = self._free = capacity

    def get(self, key: int) -> int | None:
        at = self._slot(key)
        return self._numbers[at] if self._keys[at] else None

    def put(self, key: int, number: int) -> bool:
        """False where `key` is new and there is no room for it."""
        if not self._mask:
            self._allocate()
        keys, mask = self._keys, self._mask
        at = key & mask
        while keys[at] != key:
            if not keys[at]:
                if not self._free:
                    return False
                self._free -= 1
                keys[at] = key
                break
            at = at + 1 & mask
        self._numbers[at] = number
        return True

    def remove(self, key: int) -> None:
        """Its place is free again, and what had to stand behind it moves up."""
        hole = at = self._slot(key)
        if not self._keys[at]:
            return
        self._free += 1
        while True:
            at = (at + 1) & self._mask
            moving = self._keys[at]
            if not moving:
                break
            if (at - moving) & self._mask >= (at - hole) & self._mask:
                self._keys[hole], self._numbers[hole] = moving, self._numbers[at]
                hole = at
        self._keys[hole] = 0

    def _allocate(self) -> None:
        slots = 2 * self._capacity  # half full at most: a probe is short
        self._keys = array("Q", bytes(8 * slots))
        self._numbers = array("Q", bytes(8 * slots))
        self._mask = slots - 1

    def _slot(self, key: int) -> int:
        """Where `key` is, or would be."""
        at = key & self._mask
        while self._keys[at] and self._keys[at] != key:
            at = (at + 1) & self._mask
        return at
