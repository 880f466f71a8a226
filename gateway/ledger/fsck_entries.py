"""Entries, checked: body, leaf, columns, chain, tree and stored subtree hashes, one by one.

In constant memory, and from where a checkpoint says if one was verified before.
"""

from typing import NamedTuple

from gateway.ledger import hashes, tree
from gateway.ledger.log import Log
from gateway.store import Entry, Node, Reader
from protocol import leaf as leaves
from protocol.audit import Audit
from protocol.errors import TamperedError
from protocol.leaf import LONG_TIME_MS
from protocol.merkle import HASH_BYTES, Frontier
from protocol.rulings import RULING, Rulings

_MAX_FORMS = 4096


class _Form(NamedTuple):
    """What the leaves of a kind and source share, and the prunes that hold up to `until`."""

    head: bytes
    tails: tuple[bytes, bytes]
    may_miss: bool
    must_miss: bool
    until: int


class EntryCheck:
    """The first `audit.size` entries are sound."""

    def __init__(self, rulings: Rulings, audit: Audit, edge: list[list[bytes]]) -> None:
        self.audit = audit
        self.missing = 0  # bodies
        self._rulings = rulings
        self._edge = edge
        self._filled: list[tuple[Node, bytes]] = []
        self._forms: dict[tuple[str, str], _Form] = {}

    @staticmethod
    def after(size: int, rulings: Rulings, reader: Reader) -> "EntryCheck":
        """Goes on behind the first `size` entries, with what is stored of them."""
        if not size:
            return EntryCheck(rulings, Audit(), [[]])
        (last,) = reader.entries(size - 1, size)
        log = Log.load_from(reader, last)
        subtrees = hashes.reading(reader)(tree.complete_subtrees(0, size))
        return EntryCheck(rulings, Audit(log.chain, Frontier(size, subtrees)), log.edge())

    def add(self, entry: Entry) -> None:
        """The next one. TamperedError or MalformedError at what is wrong with it.

        A missing body that nobody tells of leaves everything as it was.
        """
        if entry.index != self.audit.size:
            raise TamperedError(self.audit.size, "the entry is missing")
        hashed = self._add(entry) if self._is_usual(entry) else self._add_unusual(entry)
        self._filled += hashes.push(self._edge, hashed, entry.index)
        self.missing += entry.body is None

    def check_nodes(self, reader: Reader) -> None:
        """TamperedError unless what was filled since the last call is stored."""
        filled, self._filled = self._filled, []
        for (level, n), value in filled:
            if reader.nodes(level, n, n + 1) != [value]:
                raise TamperedError(
                    n << level, f"the stored hash of subtree ({level}, {n}) is wrong"
                )

    def rule_anew(self) -> None:
        """The rulings know more than before."""
        self._forms.clear()

    def _is_usual(self, entry: Entry) -> bool:
        """Whether columns and body are as its form says: then there is nothing to decode."""
        form = self._forms.get((entry.kind, entry.source))
        if form is None or entry.index >= form.until or entry.received_ms < LONG_TIME_MS:
            return False
        if not form.may_miss if entry.body is None else form.must_miss:
            return False
        start = form.head + entry.received_ms.to_bytes(8, "big")
        return entry.leaf[:-HASH_BYTES] in (start + form.tails[1], start + form.tails[0])

    def _add(self, entry: Entry) -> bytes:
        return self.audit.add(entry.leaf, entry.salt, entry.body, entry.chain)

    def _add_unusual(self, entry: Entry) -> bytes:
        fields = leaves.decode(entry.leaf)
        kind, source = fields.kind, fields.source
        if (kind, source, fields.received_ms) != (entry.kind, entry.source, entry.received_ms):
            raise TamperedError(entry.index, "kind, source or time beside the leaf was changed")
        if entry.body is None:
            self._rulings.check_body(entry.index, kind, source, is_there=False)
        root = self.audit.root()
        hashed = self._add(entry)
        if entry.body is not None:
            self._rulings.check_body(entry.index, kind, source, is_there=True)
        if kind in RULING:
            self._rulings.confirm(entry.index, kind, root, hashed)
        else:
            self._learn(entry)
        return hashed

    def _learn(self, entry: Entry) -> None:
        if len(self._forms) >= _MAX_FORMS:
            self._forms.clear()
        head, off, on = leaves.form(entry.kind, entry.source)
        standing = self._rulings.standing(entry.index, entry.kind, entry.source)
        self._forms[entry.kind, entry.source] = _Form(head, (off, on), *standing)
