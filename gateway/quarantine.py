"""Quarantine: why a ledger is not signed any more, on file until it is right again.

Without the file, a restart would forget what another had shown us, and sign a second history.
"""

import os
from pathlib import Path

import msgspec

from gateway.errors import ConfigError, RolledBackError
from gateway.ledger import evidence
from gateway.store import Reader
from gateway.store.files import Disk, write_durable
from protocol.errors import ProtocolError
from protocol.rotation import Keys


class Quarantine(msgspec.Struct, frozen=True):
    """`note` is what a key of ours signed and the ledger does not continue; "" if it is damaged."""

    reason: str
    fix: str
    note: str = ""

    def error(self) -> RolledBackError:
        return RolledBackError(self.reason, self.fix, self.note)


def load(path: Path) -> Quarantine | None:
    """What is on file, if anything is; ConfigError where it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Quarantine)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{path} says that this ledger must not be signed, but not why: {error}",
            "find the newest checkpoint that others hold and run `tallystick verify DIR"
            " --checkpoint FILE`; delete the file only if that is ok",
        ) from error


def keep(path: Path, error: RolledBackError, *, disk: Disk = os) -> None:
    """On stable storage on return; StoreFailedError otherwise."""
    held = Quarantine(str(error), error.fix, error.note)
    data = msgspec.json.format(msgspec.json.encode(held), indent=2)
    write_durable(path, data + b"\n", mode=0o644, disk=disk)


def check(reader: Reader, keys: Keys, held: Quarantine) -> None:
    """RolledBackError, as it was, unless the ledger goes on from what it was held to."""
    if not held.note:
        return  # the start check itself had failed, and does no longer
    try:
        right = evidence.objection(reader, keys, held.note) is None
    except ProtocolError:
        right = False  # it was by our key: that key is not here any more
    if not right:
        raise held.error()
