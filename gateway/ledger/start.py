"""The check before the first entry: is this the ledger our last checkpoints speak of?

Recomputes only what is not signed yet, so a start costs the same however long the log is.
"""

from gateway.errors import ConfigError, IntegrityError, RolledBackError
from gateway.ledger import hashes, tree
from gateway.ledger.log import Log
from gateway.store import Reader
from protocol.audit import check_entry
from protocol.checkpoint import Checkpoint
from protocol.errors import TamperedError
from protocol.leaf import CHAIN_START

ORIGIN = "origin"  # state key: whose ledger this is
CHECKPOINT = "checkpoint"  # state key: the last note signed before the last commit
ANCHORED = "anchored"  # state key: the largest note that enough witnesses have cosigned
WHOLE = "whole"  # state key, of a copy: the largest note accepted whose entries are all here
ROLE = "role"  # state key, of a collector's copy only
COLLECTOR = b"collector"
_STEP = 1000
_OTHERWISE = "or start a new ledger: `tallystick recover DIR --new-origin NAME`"


def check_origin(reader: Reader, origin: str, *, is_copy: bool = False) -> None:
    """ConfigError where it is another's ledger, or a collector's copy and should not be one."""
    stored = (reader.state(ORIGIN) or b"").decode(errors="replace")
    if stored != origin:
        raise ConfigError(
            f"this ledger belongs to {stored!r}, the configuration says {origin!r}",
            "put the right ledger.sqlite back, or correct `origin` in tallystick.toml",
        )
    if not is_copy and reader.state(ROLE) is not None:
        raise ConfigError(
            "this ledger says that it is a collector's copy: a gateway's never does",
            f"restore the gateway's own ledger.sqlite from a backup, {_OTHERWISE}",
        )


def check_signed(reader: Reader, log: Log, signed: Checkpoint) -> None:
    """RolledBackError unless the log still starts with what `signed` covers and is sound after.

    Sound: the entries that are not signed yet fit together, and `log`, which the next root is
    computed from, is what they make of the tree that was signed.
    """
    if log.size < signed.size:
        raise RolledBackError(
            f"the ledger has {log.size} entries, but its checkpoint of {signed.size} is signed:"
            " the end was cut off, or an older copy was put back",
            f"restore the newer ledger.sqlite, nothing is signed until then; {_OTHERWISE}",
        )
    try:
        root = tree.root(signed.size, hashes.reading(reader))
        if root == signed.root:
            _check_tail(reader, log, signed.size)
    except (IntegrityError, TamperedError) as error:
        raise RolledBackError(
            str(error), f"run `tallystick verify DIR`, restore a backup; {_OTHERWISE}"
        ) from error
    if root != signed.root:
        raise RolledBackError(
            f"the first {signed.size} entries are not those that were signed",
            f"run `tallystick verify DIR` to see which entry differs, and restore a backup;"
            f" {_OTHERWISE}",
        )


def _check_tail(reader: Reader, log: Log, start: int) -> None:
    before = reader.entries(start - 1, start)  # it is there: the root was made of it, too
    index, chain = start, before[0].chain if before else CHAIN_START
    edge = (Log.load_from(reader, before[0]) if before else Log.empty()).edge()
    for first in range(start, log.size, _STEP):
        for entry in reader.entries(first, min(first + _STEP, log.size)):
            if entry.index != index:
                raise TamperedError(index, "the entry is missing")
            hashed, chain = check_entry(
                index, chain, entry.leaf, entry.salt, entry.body, entry.chain
            )
            for (level, n), value in hashes.push(edge, hashed, index):
                if reader.nodes(level, n, n + 1) != [value]:
                    raise TamperedError(index, f"the stored hash ({level}, {n}) is another one")
            index += 1
    if index != log.size or edge != log.edge():
        raise TamperedError(index, "what follows is not what is stored of the tree")
