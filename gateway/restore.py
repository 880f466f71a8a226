"""Restore: a backup in a new directory, where it must not become a second history.

A copy that goes on from an older state signs what was signed before, differently. So it has to
continue the newest checkpoint that anybody holds, or become another ledger.
"""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway import config as configs
from gateway import recover
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError, DamagedError
from gateway.ledger import evidence, fsck, rotation
from gateway.ledger.fsck import Options
from gateway.ledger.signer import Signer
from gateway.recover import Choice, Recovered
from gateway.store import Store, staging
from gateway.store.files import on_disk, write_durable
from gateway.store.keys import KeyStore
from protocol import checkpoint as checkpoints
from protocol.errors import ProtocolError

# A witness's memory is not among them: one that went back would cosign what it has seen undone.
_COPIED = (
    *("ledger.sqlite", "ledger.sqlite-wal", "keys.sqlite", "keys.sqlite-journal", "checkpoint"),
    *("control.sqlite", "control.sqlite-journal"),
    *("signer.key", "verifier.key", "tokens.json", "quarantine", configs.GATEWAY_FILE),
)
_OURS = (*_COPIED, "retired-", "recover.")
_SECRET = ("keys.sqlite", "control.sqlite", "signer.key", "tokens.json")
_OTHERWISE = "restore it as another ledger: --new-origin NAME"
Progress = Callable[[str, int, int], None]  # what, how far, of how much


class Wish(NamedTuple):
    """`note` is the newest checkpoint that is known, `key` the file of the ledger's key."""

    note: str | None = None
    key: Path | None = None
    new_origin: str | None = None
    without_numbers: bool = False


class Restored(NamedTuple):
    """`recovered` where it is another ledger now."""

    path: Path
    origin: str
    entries: int
    recovered: Recovered | None


def restore(backup: Path, target: Path, wish: Wish, progress: Progress) -> Restored:
    """A directory `target` that is new, or empty; ConfigError where it must not be made.

    DamagedError where the backup is not what was committed.
    Store*Error where a disk fails; then nothing has the name `target`.
    """
    _check_source(backup)
    if wish.note is None and wish.new_origin is None:
        raise ConfigError(
            "a backup may be behind what was signed since",
            "give the newest checkpoint that anybody holds, --checkpoint FILE; or " + _OTHERWISE,
        )
    part = Directory(staging.begin(target, _OURS))
    for name in _COPIED:
        if (backup / name).exists():
            _copy(backup / name, part.path / name)
            progress("copying", len(list(part.path.iterdir())), len(_COPIED))
    KeyStore(part.keys).close()
    origin = configs.load(part.config, GatewayConfig).origin
    recovered = None
    if wish.new_origin is None:
        entries = _same(part, origin, wish, progress)
    else:
        entries, recovered = _another(part, wish.new_origin, wish, progress)
        recovered = recovered._replace(retired=target / recovered.retired.name)
    staging.finish(part.path)
    return Restored(target, wish.new_origin or origin, entries, recovered)


def _check_source(backup: Path) -> None:
    if not (backup / configs.GATEWAY_FILE).is_file() or backup.name.endswith(".part"):
        raise ConfigError(f"{backup} is no backup", "name what `tallystick backup` has made")
    lock = backup / "lock"
    if lock.exists():
        with lock.open("rb") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ConfigError(
                    f"{backup} is a directory in use",
                    f"run `tallystick backup {backup} DEST` first",
                ) from error


def _copy(source: Path, target: Path) -> None:
    with on_disk(f"copying {source.name}"):
        shutil.copyfile(source, target)
        target.chmod(0o600 if source.name in _SECRET else 0o644)
        with target.open("rb") as copied:
            os.fsync(copied.fileno())


def _same(part: Directory, origin: str, wish: Wish, progress: Progress) -> int:
    """It goes on as the ledger that it was; how many entries it has."""
    if wish.key is not None:
        try:
            write_durable(part.signer, wish.key.read_bytes())
        except OSError as error:
            raise ConfigError(f"{wish.key}: {error.strerror}", "name the key's file") from error
    if not part.signer.exists():
        raise ConfigError("the ledger's key is not in the backup", "name its file: --key FILE")
    signer = part.load_signer(origin)
    if signer.verifier_key != part.load_verifier(origin):
        raise ConfigError(
            "signer.key is not the copy's: a wrong one, or the key was rotated after the copy",
            f"give the right one, restore a newer copy; or {_OTHERWISE}",
        )
    store, _, signed = part.open_checked(signer)
    showing = Options(
        signer.verifier_key, progress=lambda done, all_: progress("checking", done, all_)
    )
    try:
        newest = _hold_to(store, signer, wish.note or "")
        report = fsck.check(store, origin, newest, showing)
    finally:
        store.close()
    if not report.valid:
        raise DamagedError(
            f"the backup is damaged: entry {report.first_bad}: {report.reason}", _OTHERWISE
        )
    if checkpoints.unverified(newest).size > signed:
        part.keep_checkpoint(newest)
    return report.entries


def _hold_to(store: Store, signer: Signer, note: str) -> str:
    """The note, which a key of this ledger signed and the copy continues."""
    keys = store.read(lambda reader: rotation.held_keys(reader, signer))
    try:
        rotation.open_note(note, keys)
        seen = store.read(lambda reader: evidence.objection(reader, keys, note))
    except ProtocolError as error:
        raise ConfigError(
            f"no key that the backup knows has signed this checkpoint: {error}",
            "was the key exchanged since, the backup is too old: " + _OTHERWISE,
        ) from error
    if seen:
        raise ConfigError(f"the checkpoint is of {seen}", f"use a newer backup, or {_OTHERWISE}")
    return note


def _another(part: Directory, origin: str, wish: Wish, progress: Progress) -> tuple[int, Recovered]:
    """It becomes the ledger `origin`, which names the one that it was, and has so many entries."""
    choice = Choice(origin, wish.note, wish.without_numbers, although_sound=True)
    recovered = recover.recover(
        part, choice, lambda done, total: progress("carrying numbers over", done, total)
    )
    store, _, signed = part.open_checked(part.load_signer(origin))
    store.close()
    return signed, recovered
