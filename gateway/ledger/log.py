"""Log: the ledger's growing end. Extends in memory, is stored by the caller, then adopted.

Does no I/O and reads no clock. The owner is the one writer; `extended` changes nothing, so
a failed transaction leaves the log as it was.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from gateway.ledger import hashes, tree
from gateway.store import Entry, Node, Reader, Transaction
from protocol import leaf as leaves
from protocol.leaf import CHAIN_START, SALT_BYTES, Leaf
from protocol.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash


class Draft(NamedTuple):
    """What is to become an entry."""

    kind: str
    source: str
    body: bytes


class Stamp(NamedTuple):
    """When a batch was received: Unix ms, and 1 where that goes on from the entry before."""

    received_ms: int
    clock: int


class Sealed(NamedTuple):
    """A leaf with what it commits to, before it has a place.

    `says` is its kind, source and received_ms, where whoever made it knows them.
    """

    leaf: bytes
    salt: bytes
    body: bytes | None
    says: tuple[str, str, int] | None = None


class Extension(NamedTuple):
    entries: list[Entry]
    nodes: list[tuple[Node, bytes]]
    log: "Log"

    def put(self, transaction: Transaction) -> None:
        transaction.append(self.entries)
        for node, value in self.nodes:
            transaction.put_node(node, value)


class Log:
    """`edge[k]` holds the hashes of level 8k that do not fill a subtree of 256 yet."""

    def __init__(
        self, size: int, chain: bytes, received_ms: int, edge: Sequence[Sequence[bytes]]
    ) -> None:
        self.size = size
        self.chain = chain
        self.received_ms = received_ms
        self._edge = edge

    @staticmethod
    def empty() -> "Log":
        return Log(0, CHAIN_START, 0, [[]])

    @staticmethod
    def load(reader: Reader) -> "Log":
        """The log as the store has it; reads at most 255 hashes a level."""
        last = reader.last()
        return Log.load_from(reader, last) if last else Log.empty()

    @staticmethod
    def load_from(reader: Reader, last: Entry) -> "Log":
        """The log as it was when `last` was its last entry."""
        size = last.index + 1
        edge, level, count = [], 0, size
        while count:
            edge.append(hashes.at_level(reader, level, count - count % hashes.WIDTH, count))
            level += hashes.STEP
            count //= hashes.WIDTH
        return Log(size, last.chain, last.received_ms, edge)

    def edge(self) -> list[list[bytes]]:
        """A copy, as `hashes.push` goes on with it."""
        return [list(level) for level in self._edge]

    def root(self) -> bytes:
        complete: list[bytes] = []
        for level in reversed(self._edge):
            for span, n in tree.complete_subtrees(0, len(level)):
                complete.append(hashes.climb(list(level[n << span : (n + 1) << span])))
        return tree.fold(complete) if complete else EMPTY_ROOT

    def seal(self, drafts: Sequence[Draft], stamp: Stamp, salts: bytes) -> list[Sealed]:
        """Leaves for `drafts`; `salts` holds SALT_BYTES random bytes for each."""
        starts: dict[tuple[str, str], bytes] = {}
        sealed = []
        for position, (kind, source, body) in enumerate(drafts):
            salt = salts[position * SALT_BYTES : (position + 1) * SALT_BYTES]
            start = starts.get((kind, source))
            if start is None:
                start = starts[kind, source] = _start(kind, source, stamp)
            leaf = start + leaves.hash_body(salt, body)
            sealed.append(Sealed(leaf, salt, body, (kind, source, stamp.received_ms)))
        return sealed

    def extended(self, sealed: Sequence[Sealed]) -> Extension:
        """What appending these leaves adds, and the log after it. Raises on a malformed leaf."""
        chain, received_ms = self.chain, self.received_ms
        edge = self.edge()
        entries: list[Entry] = []
        nodes: list[tuple[Node, bytes]] = []
        for index, (leaf, salt, body, says) in enumerate(sealed, self.size):
            kind, source, received_ms = says or _says(leaf)
            hashed = leaf_hash(leaf)
            chain = leaves.chain(chain, hashed)
            entries.append(Entry(index, kind, source, received_ms, leaf, chain, salt, body))
            nodes += hashes.push(edge, hashed, index)
        return Extension(entries, nodes, Log(self.size + len(entries), chain, received_ms, edge))


_form = functools.lru_cache(maxsize=4096)(leaves.form)  # more than there are devices, as a rule


def _start(kind: str, source: str, stamp: Stamp) -> bytes:
    """All of a leaf but its body's hash."""
    if stamp.received_ms < leaves.LONG_TIME_MS:  # a clock that was never set
        return leaves.encode(Leaf(kind, *stamp, source, bytes(HASH_BYTES)))[:-HASH_BYTES]
    head, *tails = _form(kind, source)
    return head + stamp.received_ms.to_bytes(8, "big") + tails[stamp.clock]


def _says(leaf: bytes) -> tuple[str, str, int]:
    fields = leaves.decode(leaf)
    return fields.kind, fields.source, fields.received_ms
