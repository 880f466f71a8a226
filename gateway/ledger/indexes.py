"""Indexes: any number of them in constant memory, enough to tell whether two lots are the same."""

import secrets

_PRIME = (1 << 127) - 1


class Indexes:
    """The product of (x - index) is a polynomial, and those of other lots have another value.

    At an `x` that nobody knew, all but surely: there are 2**127 of them.
    """

    def __init__(self, x: int | None = None) -> None:
        self.count = 0
        self.product = 1
        self._x = secrets.randbelow(_PRIME) if x is None else x

    def another(self) -> "Indexes":
        """An empty lot, to be compared with this one."""
        return Indexes(self._x)

    def add(self, index: int) -> None:
        self.count += 1
        self.product = self.product * (self._x - index) % _PRIME
