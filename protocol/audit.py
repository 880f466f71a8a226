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
    """`size` entries were right so far; `chain` is the chain value after them.

    To go on with what was checked before, give its chain value and its tree.
    """

    def __init__(
        self, chain: bytes = leaves.CHAIN_START, frontier: "Frontier | None" = None
    ) -> None:
        self.chain = chain
        self._frontier = frontier or Frontier()
        self.size = self._frontier.size
        self._marks: dict[int, Checkpoint] = {}

    def expect(self, checkpoint: Checkpoint) -> None:
        """Hold the ledger to `checkpoint` once its size is reached; call before then."""
        other = self._marks.get(checkpoint.size, checkpoint)
        if self.size == checkpoint.size:
            _compare(checkpoint, self.root())
        _compare(checkpoint, other.root)
        self._marks[checkpoint.size] = checkpoint

    def add(
        self, leaf: bytes, salt: bytes, body: bytes | None, chain: bytes | None = None
    ) -> bytes:
        """Checks the next entry and returns its leaf hash; TamperedError leaves us as we were.

        `body` is None where it was deleted; `chain` is the stored value, where there is one.
        """
        hashed, computed = check_entry(self.size, self.chain, leaf, salt, body, chain)
        mark = self._marks.get(self.size + 1)
        if mark is not None:
            _compare(mark, self._frontier.root_after(hashed))
        self.chain = computed
        self._frontier.add(hashed)
        self.size += 1
        return hashed

    def root(self) -> bytes:
        return self._frontier.root()


def _compare(signed: Checkpoint, root: bytes) -> None:
    if signed.root != root:
        raise TamperedError(
            max(signed.size - 1, 0),
            f"the first {signed.size} entries differ from the checkpoint signed at that size:"
            f" root {notes.short(root)}, signed {notes.short(signed.root)}",
        )
