"""Audit: recompute a ledger entry by entry, in constant memory.

Give it every entry in order; it stops at the first that is not what was committed to. Used
by whoever holds the bytes: the gateway, a collector, a stranger with a copy.
"""

from protocol import checkpoint as notes
from protocol import leaf as leaves
from protocol.checkpoint import Checkpoint
from protocol.errors import TamperedError
from protocol.merkle import Frontier, leaf_hash


def check_entry(
    index: int, previous: bytes, leaf: bytes, salt: bytes, body: bytes | None, chain: bytes | None
) -> tuple[bytes, bytes]:
    """(leaf hash, chain value) of one entry after `previous`, or TamperedError."""
    if body is not None and not leaves.commits_to(leaf, salt, body):
        raise TamperedError(index, "the body is not the one in the leaf")
    hashed = leaf_hash(leaf)
    computed = leaves.chain(previous, hashed)
    if chain is not None and chain != computed:
        raise TamperedError(index, "the chain breaks: leaf or chain value was changed")
    return hashed, computed


class Audit:
    """`size` entries were right so far; `chain` is the chain value after them."""

    def __init__(self) -> None:
        self.size = 0
        self.chain = leaves.CHAIN_START
        self._frontier = Frontier()
        self._marks: dict[int, Checkpoint] = {}

    def expect(self, checkpoint: Checkpoint) -> None:
        """Hold the ledger to `checkpoint` once its size is reached; call before then."""
        self._marks[checkpoint.size] = checkpoint
        self._compare_mark()

    def add(
        self, leaf: bytes, salt: bytes, body: bytes | None, chain: bytes | None = None
    ) -> bytes:
        """Checks the next entry and returns its leaf hash; TamperedError leaves us as we were.

        `body` is None where it was deleted; `chain` is the stored value, where there is one.
        """
        hashed, self.chain = check_entry(self.size, self.chain, leaf, salt, body, chain)
        self._frontier.add(hashed)
        self.size += 1
        self._compare_mark()
        return hashed

    def root(self) -> bytes:
        return self._frontier.root()

    def _compare_mark(self) -> None:
        mark = self._marks.get(self.size)
        if mark is not None and mark.root != self.root():
            raise TamperedError(
                max(self.size - 1, 0),
                f"entries 0 to {self.size - 1} differ from the checkpoint signed at that size:"
                f" root {notes.short(self.root())}, signed {notes.short(mark.root)}",
            )
