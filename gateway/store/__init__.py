"""Where a ledger is kept: what every store promises.

A store is trusted to keep, not to be honest: whoever can change it is found out by the
chain and the checkpoints, not by the store.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import msgspec

Result = TypeVar("Result")
PAGE_BYTES = 2048  # what a store's file grows and shrinks by; see docs/decisions/0014
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
    """Which entries; None is "any". At most `limit` are found, at most `scan` looked at.

    Bodies of `max_bytes` or a little more end it, too: the last one is whole.
    """

    after: int = -1
    kind: str | None = None
    source: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int = 100
    scan: int = 50_000
    max_bytes: int = 4 << 20


class Page(NamedTuple):
    """`next_after` goes on where this page ends, whether or not it found anything."""

    entries: list[Entry]
    next_after: int


class Taken(NamedTuple):
    """A number, the index it points `at`, and what stands there, if anything does."""

    kid: bytes
    epoch: int
    sequence: int
    at: int
    entry: Entry | None


class Part(NamedTuple):
    """One entry `at` of those that make up a resource; the last one is what it is now.

    `size_bytes` is of the contents up to and with this one, `first` the entry at position 0.
    """

    path: str
    position: int
    at: int
    size_bytes: int
    content_format: int | None
    first: int


class Held(NamedTuple):
    """A part, and the entry that stands where it points, if any does."""

    part: Part
    entry: Entry | None


class Stray(NamedTuple):
    """`what` ("a body") is stored of entry `at`, which is not there; of a subtree, its first."""

    what: str
    at: int


class Selection(NamedTuple):
    """Bodies of entries [start, stop), of one kind and source or of any (None).

    Never those of protocol.prune.KEPT_KINDS: these are not deleted.
    """

    start: int
    stop: int
    kind: str | None = None
    source: str | None = None


class Deleted(NamedTuple):
    """How many bodies, and their bytes in all, without salts."""

    bodies: int
    size_bytes: int


class Sizes(NamedTuple):
    """What a ledger takes. `file_bytes` - `used_bytes` is free space inside the file."""

    used_bytes: int
    file_bytes: int
    log_bytes: int  # the write-ahead log beside it


class Parts(Protocol):
    """What the durable resources of one view consist of: derived from the entries."""

    def last(self, path: str) -> Part | None:
        """The last part of a resource, if there is one; IntegrityError as `Reader.number`."""

    def of(self, path: str) -> list[Held]:
        """All parts of a resource, in order."""

    def lasts(self, after: str, prefix: str, limit: int) -> list[Part]:
        """The last parts of at most `limit` resources, in order of paths, behind `after`."""

    def all(self, after: tuple[str, int] | None, limit: int) -> list[Held]:
        """At most `limit` parts by (path, position), from the first or after one."""

    def among(self, selection: "Selection") -> list[int]:
        """The indexes of the selected entries that are parts of their paths, in order."""

    def put(self, part: Part) -> None:
        """In a transaction only. `first` is not kept: position 0 has it."""

    def drop(self, path: str) -> None:
        """In a transaction only: there is no such resource any more."""


class Reader(Protocol):
    """One consistent view."""

    @property
    def parts(self) -> Parts: ...

    def last(self) -> Entry | None: ...

    def entries(self, start: int, stop: int) -> list[Entry]: ...

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """The leaves of these entries, and nothing else of them."""

    def select(self, query: Query) -> Page: ...

    def nodes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Stored hashes of complete subtrees; levels are multiples of 8, above 0."""

    def number(self, kid: bytes, epoch: int, sequence: int) -> int | None:
        """The index of the entry that took this number, if any did.

        IntegrityError where damage hides it: others can be looked up and put all the same.
        """

    def highest(self, kid: bytes, epoch: int) -> int | None:
        """The highest sequence that is taken in this epoch, -1 where none is.

        None where damage hides it: each number has to be looked up by itself then.
        """

    def numbers(self, after: tuple[bytes, int, int] | None, limit: int) -> list[Taken]:
        """At most `limit` numbers that are taken, in order, from the first or after one."""

    def strays(self) -> list[Stray]:
        """What belongs to no entry: bodies, tails and subtree hashes, one of each at most."""

    def state(self, key: str) -> bytes | None: ...

    def bodies(self, selection: Selection, limit: int) -> list[tuple[int, int]]:
        """(index, bytes) of at most `limit` bodies that are there, in order."""

    def first_later(self, start: int, stop: int, moment_ms: int) -> int:
        """The first of entries [start, stop) received at `moment_ms` or later; else `stop`."""

    def tails(self, selection: Selection, size: int) -> list[tuple[int, bytes]]:
        """(index, last `size` bytes) of the bodies that are there, in order."""

    def tail(self, index: int) -> bytes | None:
        """What was kept of a deleted body, if anything was."""


class Transaction(Reader, Protocol):
    """Sees what it has put itself."""

    def append(self, entries: Sequence[Entry]) -> None: ...

    def put_node(self, node: Node, value: bytes) -> None: ...

    def put_numbers(self, numbers: Iterable[tuple[bytes, int, int, int]]) -> None:
        """(kid, epoch, sequence, index) of each."""

    def put_state(self, key: str, value: bytes) -> None: ...

    def delete_bodies(self, selection: Selection) -> Deleted:
        """For good, salts too: their bytes are overwritten, also where they were free space."""

    def put_tails(self, tails: Sequence[tuple[int, bytes]]) -> None:
        """In the place of what is there: a stray one must not stand in a deletion's way."""


class ReadableStore(Protocol):
    def read(self, work: Callable[[Reader], Result]) -> Result:
        """Run `work` on one consistent view; any thread."""

    def close(self) -> None: ...


class Store(ReadableStore, Protocol):
    """One thread writes; any number read beside it."""

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        """Run `work` alone: all of what it puts is on stable storage on return.

        It is run twice, the first time for nothing, where a number cannot be looked up.
        If `work` raises, none of it is kept. StoreFullError: none of it is kept either.
        StoreFailedError: all or none of it is kept; read again to know which.
        """

    def sizes(self) -> Sizes:
        """Any thread; it may have to wait for others who read."""

    def used_bytes(self) -> int:
        """As in `sizes`, for the writer's thread, which waits for nobody."""

    def limit_pages(self, pages: int) -> None:
        """Let the file grow to at most `pages` pages; a full one refuses with StoreFullError."""

    def limit_log(self, max_bytes: int) -> None:
        """Begin no transaction with a longer log: empty it, or refuse with StoreFullError.

        So one transaction may take the log past `max_bytes`, and no more than one.
        """

    def release(self, max_pages: int) -> int:
        """Give at most so many free pages back to the disk, and say how many; writer's thread.

        A transaction of its own, as long a log as `limit_log` allows before it; 0 where that
        one cannot be emptied now. The file is shorter once the log is emptied.
        """

    def empty_log(self, wait_ms: int = 0) -> bool:
        """Move the log into the file and cut it to nothing; False where readers hold it longer."""
