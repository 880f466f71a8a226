"""Where a ledger is kept: what every store promises.

A store is trusted to keep, not to be honest: whoever can change it is found out by the
chain and the checkpoints, not by the store.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import msgspec

Result = TypeVar("Result")
Node = tuple[int, int]  # (level, n): the n-th complete subtree of 2**level leaves


class Entry(msgspec.Struct, frozen=True, gc=False):
    """`kind`, `source` and `received_ms` repeat the leaf, for queries only.

    `body` is None, and `salt` empty, once the body was deleted.
    """

    index: int
    kind: str
    source: str
    received_ms: int
    leaf: bytes
    chain: bytes
    salt: bytes
    body: bytes | None


class Query(NamedTuple):
    """Which entries; None is "any". At most `limit` are found, at most `scan` looked at."""

    after: int = -1
    kind: str | None = None
    source: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int = 100
    scan: int = 50_000


class Page(NamedTuple):
    """`next_after` goes on where this page ends, whether or not it found anything."""

    entries: list[Entry]
    next_after: int


class Reader(Protocol):
    """One consistent view."""

    def last(self) -> Entry | None: ...

    def entries(self, start: int, stop: int) -> list[Entry]: ...

    def select(self, query: Query) -> Page: ...

    def nodes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Stored hashes of complete subtrees; levels are multiples of 8, above 0."""

    def number(self, kid: bytes, epoch: int, sequence: int) -> int | None:
        """The index of the entry that took this number, if any did."""

    def state(self, key: str) -> bytes | None: ...


class Transaction(Reader, Protocol):
    """Sees what it has put itself."""

    def append(self, entries: Sequence[Entry]) -> None: ...

    def put_node(self, node: Node, value: bytes) -> None: ...

    def put_number(self, kid: bytes, epoch: int, sequence: int, index: int) -> None: ...

    def put_state(self, key: str, value: bytes) -> None: ...


class Store(Protocol):
    """One thread writes; any number read beside it."""

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        """Run `work` alone: all of what it puts is on stable storage on return.

        If `work` raises, none of it is kept. StoreFullError: none of it is kept either.
        StoreFailedError: all or none of it is kept; read again to know which.
        """

    def read(self, work: Callable[[Reader], Result]) -> Result:
        """Run `work` on one consistent view; any thread."""

    def close(self) -> None: ...
