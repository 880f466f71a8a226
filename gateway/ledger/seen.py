"""Seen: the highest number of each device's epoch, so that a new one need not be looked up.

Sequences rise (wire-format §4): one above the highest that was taken is new, and that is nearly
every one. All others are looked up by themselves. The owner is the one writer; what it commits
is the only thing that changes an answer.
"""

from gateway.store import Reader

_MAX_EPOCHS = 4096  # more devices than send at once; forgetting one costs a query


class Seen:
    def __init__(self) -> None:
        self._highest: dict[tuple[bytes, int], int] = {}
        self._careful = False

    def is_new(self, number: tuple[bytes, int, int], reader: Reader) -> bool:
        """True where it is certain that nothing took it, and it is taken now; else look it up."""
        kid, epoch, sequence = number
        highest = self._highest.get((kid, epoch))
        if highest is None:
            highest = None if self._careful else reader.highest(kid, epoch)
            if highest is None:
                return False
            if len(self._highest) >= _MAX_EPOCHS:
                self._highest.clear()
            self._highest[kid, epoch] = highest
        if sequence <= highest:
            return False
        self._highest[kid, epoch] = sequence
        return True

    def committed(self) -> None:
        """What was new is in the store now."""
        self._careful = False

    def failed(self) -> None:
        """Nothing is known any more. It may have been a number that is there and was not found:
        the next transaction looks each one up."""
        self._highest.clear()
        self._careful = True
