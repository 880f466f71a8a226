"""Recount: a whole ledger's bodies, leaves, chain and tree, recomputed at speed.

The leaves of one kind and source differ in time, clock and body hash only. So the leaf that
an entry should have is built from what is stored beside it and compared whole, which is much
faster than decoding the one it has. An entry that is not what was built goes through
`protocol.audit`, the reference, which knows every rule and says what is wrong.
"""

import struct
from collections.abc import Sequence
from hashlib import sha256

from protocol import leaf as leaves
from protocol.audit import check_entry
from protocol.checkpoint import Checkpoint, short
from protocol.errors import TamperedError
from protocol.leaf import LONG_TIME_MS, SALT_BYTES
from protocol.merkle import HASH_BYTES, Frontier
from protocol.rulings import RULING, Rulings
from tools.sources import Row

WIDTH = 256  # leaves of the smallest subtree whose hash a ledger stores
_STEP = 8  # levels between those
_MAX_FORMS = 4096
_time = struct.Struct(">Q").pack
# up to which index, head, tails with the clock off and on, may be there, may be missing
_Form = tuple[int, bytes, bytes, bytes, bool, bool]


class Recount:
    """The first `size` entries were right; memory does not grow with them."""

    def __init__(self, rulings: Rulings) -> None:
        self.size = 0
        self.chain = leaves.CHAIN_START
        self.missing = 0  # bodies
        self._rulings = rulings
        self._marks: dict[int, Checkpoint] = {}
        self._forms: dict[tuple[bytes, bytes], _Form] = {}
        self._edge: list[list[bytes]] = [[]]  # hashes of level 8k that fill no subtree yet
        self._filled = Frontier()  # of the subtrees of WIDTH
        self._nodes: list[tuple[int, int, bytes]] = []

    def expect(self, checkpoint: Checkpoint) -> None:
        """Hold the ledger to `checkpoint` once its size is reached; call before the first `add`."""
        _compare(checkpoint, self._marks.setdefault(checkpoint.size, checkpoint).root)
        if not checkpoint.size:
            _compare(checkpoint, self.root())

    def add(self, rows: Sequence[Row]) -> None:
        """The next entries; TamperedError or MalformedError at the first that is wrong.

        `size` is its index then: what came before it has been added.
        """
        done = 0
        while done < len(rows):
            room = min(WIDTH - len(self._edge[0]), self._next_mark() - self.size)
            usual = self._add_usual(rows[done : done + room])
            if not usual:
                self._add_unusual(rows[done])
            done += usual or 1
            if len(self._edge[0]) == WIDTH:
                self._fill()
            if self.size in self._marks:
                _compare(self._marks[self.size], self.root())

    def root(self) -> bytes:
        if not self._edge[0]:
            return self._filled.root()
        rest = Frontier()
        for hashed in self._edge[0]:
            rest.add(hashed)
        return self._filled.root_after(rest.root())

    def take_nodes(self) -> list[tuple[int, int, bytes]]:
        """(level, n, hash) of the subtrees that were filled since the last call."""
        taken, self._nodes = self._nodes, []
        return taken

    def rule_anew(self) -> None:
        """The rulings know more than before."""
        self._forms.clear()

    def _next_mark(self) -> int:
        return min((size for size in self._marks if size > self.size), default=self.size + WIDTH)

    def _add_usual(self, rows: Sequence[Row]) -> int:
        """Adds entries up to the first that is not as it was built; returns how many."""
        index, chain, missing, hashes = self.size, self.chain, 0, []
        for row_index, kind, source, ms, leaf, chained, salt, body in rows:
            form = self._forms.get((kind, source))
            if form is None or row_index != index or index >= form[0] or ms < LONG_TIME_MS:
                break
            _, head, off, on, there, gone = form
            if not (gone if body is None else there and len(salt) == SALT_BYTES):
                break
            body_hash = leaf[-HASH_BYTES:] if body is None else sha256(salt + body).digest()
            head += _time(ms)
            hashed = sha256(b"\x00" + leaf).digest()
            following = sha256(chain + hashed).digest()
            if leaf != head + on + body_hash and leaf != head + off + body_hash:
                break
            if following != chained:
                break
            chain = following
            hashes.append(hashed)
            index += 1
            missing += body is None
        self._edge[0] += hashes
        self.size, self.chain, self.missing = index, chain, self.missing + missing
        return len(hashes)

    def _add_unusual(self, row: Row) -> None:
        """Checks one entry by the rules, and learns from it what the others will look like."""
        index, kind, source, ms, leaf, chained, salt, body = row
        if index != self.size:
            raise TamperedError(self.size, "the entry is missing")
        fields = leaves.decode(leaf)
        if (fields.kind.encode(), fields.source.encode(), fields.received_ms) != (kind, source, ms):
            raise TamperedError(index, "kind, source or time beside the leaf was changed")
        hashed, chain = check_entry(index, self.chain, leaf, salt, body, chained)
        self._rulings.check_body(index, fields.kind, fields.source, is_there=body is not None)
        if fields.kind in RULING:
            self._rulings.confirm(index, fields.kind, self.root(), hashed)
        else:
            self._learn(fields.kind, fields.source)
        self._edge[0].append(hashed)
        self.size, self.chain, self.missing = index + 1, chain, self.missing + (body is None)

    def _learn(self, kind: str, source: str) -> None:
        if len(self._forms) >= _MAX_FORMS:
            self._forms.clear()
        may_miss, must_miss, until = self._rulings.standing(self.size, kind, source)
        head, off, on = leaves.form(kind, source)
        self._forms[kind.encode(), source.encode()] = (
            until,
            head,
            off,
            on,
            not must_miss,
            may_miss,
        )

    def _fill(self) -> None:
        """Folds what fills a subtree into one hash of the level above."""
        depth = 0
        while len(self._edge[depth]) == WIDTH:
            value = _climb(self._edge[depth])
            if not depth:
                self._filled.add(value)
            self._edge[depth] = []
            depth += 1
            if depth == len(self._edge):
                self._edge.append([])
            self._edge[depth].append(value)
            level = depth * _STEP
            self._nodes.append((level, (self.size - 1) >> level, value))


def _climb(hashes: list[bytes]) -> bytes:
    """The root of a complete subtree (RFC 9162 §2.1.1)."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\x01" + left + next(pairs)).digest() for left in pairs]
    return hashes[0]


def _compare(signed: Checkpoint, root: bytes) -> None:
    if signed.root != root:
        raise TamperedError(
            max(signed.size - 1, 0),
            f"the first {signed.size} entries differ from the checkpoint signed at that size:"
            f" root {short(root)}, signed {short(signed.root)}",
        )
