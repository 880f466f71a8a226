"""Redaction, followed: a collector deletes what its gateway redacted, as the entry arrives.

What a gateway deleted for its age or for space stays here.
"""

from collections.abc import Sequence

from gateway.store import Entry, Selection, Store, Transaction
from protocol import prune as prunes
from protocol.errors import TamperedError
from protocol.prune import PRUNED, REDACTION, Prune

_TO_ERASE = "to-erase"  # state key: b"1" while the files may still hold what was redacted
_RELEASE_PAGES = 1024
_WAIT_MS = 100


def follow(transaction: Transaction, entries: Sequence[Entry]) -> None:
    """Deletes what these new entries say, which are put already.

    ProtocolError where a prune is none, or speaks of entries after it.
    """
    deleted = 0
    for entry in entries:
        if entry.kind == PRUNED:
            prune = _statement(entry)
            if prune.why == REDACTION:
                covered = Selection(prune.start, prune.stop, prune.kind, prune.source)
                deleted += transaction.delete_bodies(covered).bodies
    if deleted:
        transaction.put_state(_TO_ERASE, b"1")


def erase(store: Store) -> None:
    """Leaves nothing of what was redacted in the files; later, where somebody reads them now."""
    if store.read(lambda reader: reader.state(_TO_ERASE)) != b"1":
        return
    while store.release(_RELEASE_PAGES):
        pass
    if store.empty_log(_WAIT_MS):
        store.transact(lambda transaction: transaction.put_state(_TO_ERASE, b"0"))


def _statement(entry: Entry) -> Prune:
    if entry.body is None:
        raise TamperedError(entry.index, "a prune without its statement")
    prune = prunes.decode(entry.body)
    if prune.stop > entry.index:
        raise TamperedError(entry.index, "a prune of entries that were still to come")
    return prune
