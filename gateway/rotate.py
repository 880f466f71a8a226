"""Rotate: gives a gateway's directory a new ledger key, in steps that a kill may interrupt.

`signer.next` is there from the first step to the last. Whoever comes next finds it, and the
ledger says whether it is to be completed or undone: what decides is one transaction.
"""

from typing import NamedTuple

from gateway.config import LedgerConfig
from gateway.directory import SEED_BYTES, Directory
from gateway.errors import ConfigError
from gateway.ledger import rotation
from gateway.ledger.batch import Submission
from gateway.ledger.log import Log
from gateway.ledger.signer import Signer, format_signer_key
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.store.files import move_durable, overwrite, remove_durable, write_durable
from gateway.surroundings import Surroundings
from protocol.note import format_key

COMPLETED, UNDONE = "completed", "undone"


class Rotated(NamedTuple):
    """`entry` is the one that says so; `resumed`: it was begun before, and is whole now."""

    entry: int
    old: str
    new: str
    resumed: bool


def rotate(directory: Directory, origin: str) -> Rotated:
    """Replaces the key of a gateway that is stopped and held.

    ConfigError or RolledBackError where the directory must not be used, Store*Error where it
    could not be written: then the next start completes or undoes what there is of it.
    """
    if settle(directory, origin) != COMPLETED:
        _begin(directory, origin)
        settle(directory, origin)
        return _told(directory, resumed=False)
    return _told(directory, resumed=True)


def settle(directory: Directory, origin: str) -> str | None:
    """Ends a rotation that was interrupted; COMPLETED, UNDONE, or None where there was none.

    The directory is held, and its key not read yet.
    """
    if not directory.next_signer.exists():
        return None
    following = _next_signer(directory, origin)
    keys = directory.read_keys()
    if following and keys and keys.current == following.verifier_key:
        _complete(directory, following)
        return COMPLETED
    # no entry speaks of it; that is only sure of a ledger that is not behind
    directory.open_checked(directory.load_signer(origin))[0].close()
    overwrite(directory.next_signer, disk=directory.disk)
    remove_durable(directory.next_signer, disk=directory.disk)
    return UNDONE


def _begin(directory: Directory, origin: str) -> None:
    """Makes the new key, and puts it into the ledger with the old one's last word."""
    old = directory.load_signer(origin)
    store, note, signed = directory.open_checked(old)
    try:
        surroundings = Surroundings(directory)
        new = Signer(origin, surroundings.random(SEED_BYTES))
        text = format_signer_key(origin, new.seed)
        write_durable(directory.next_signer, text.encode(), disk=directory.disk)
        writer = LedgerWriter(store, old, surroundings, LedgerConfig(), Metrics())
        writer.resume(signed, note)
        turn = store.read(lambda reader: rotation.turn(reader, old, new))
        writer.commit_with(lambda _: ([Submission(turn.draft)], None), turn.states)
    finally:
        store.close()


def _complete(directory: Directory, new: Signer) -> None:
    """Each step may have been done before; the last one takes `signer.next` away."""
    store, _, signed = directory.open_checked(new)
    try:
        log = store.read(Log.load)
    finally:
        store.close()
    if log.size > signed:
        directory.keep_checkpoint(new.sign(log.size, log.root()))
    directory.keep_verifier(new)
    overwrite(directory.signer, disk=directory.disk)
    move_durable(directory.next_signer, directory.signer, disk=directory.disk)


def _next_signer(directory: Directory, origin: str) -> Signer | None:
    try:
        return directory.load_next_signer(origin)
    except ConfigError:
        return None  # not this ledger's, so it is the one beside it that counts


def _told(directory: Directory, *, resumed: bool) -> Rotated:
    keys = directory.read_keys()
    assert keys is not None  # noqa: S101  # the entry that says so is committed
    (_, old), (entry, new) = keys.epochs[-2:]
    return Rotated(entry, format_key(old), format_key(new), resumed)
