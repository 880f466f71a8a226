"""Backup: a copy of a gateway's directory, of one moment, while the gateway goes on.

It is made under another name and checked; only a whole one gets its own name. The ledger comes
before the devices' keys: their changes are numbered, so keys that are newer are caught up
with, and older ones would contradict the ledger.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway import config as configs
from gateway import quarantine
from gateway.config import GATEWAY_FILE, GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError, DamagedError
from gateway.ledger import budget, fsck, rotation
from gateway.ledger.fsck import Options
from gateway.ledger.start import CHECKPOINT
from gateway.store import staging
from gateway.store.copying import copy
from gateway.store.files import write_durable
from gateway.store.sqlite import looking_at
from protocol.errors import ProtocolError
from protocol.note import format_key
from protocol.rotation import Keys

FILES = (
    *("ledger.sqlite", "keys.sqlite", "control.sqlite", "checkpoint", "tokens.json"),
    *("signer.key", "verifier.key", GATEWAY_FILE),
)
Progress = Callable[[str, int, int], None]  # what, how far, of how much


class Saved(NamedTuple):
    """`entries` are in the copy, `signed` of them under its checkpoint."""

    path: str
    origin: str
    entries: int
    signed: int
    root: str
    with_key: bool


def backup(directory: Directory, target: Path, progress: Progress, *, with_key: bool) -> Saved:
    """A checked copy in `target`, which is new.

    ConfigError where it cannot be made so, DamagedError where an entry is not what was
    committed, RolledBackError where the ledger itself is not what
    was signed, Store*Error where a disk fails; then nothing has the name `target`.
    """
    part = Directory(staging.begin(target, FILES))
    config = configs.load(directory.config, GatewayConfig)
    beside = _read(directory.checkpoint)  # before the ledger: so the copy continues it
    copy(directory.ledger, part.ledger, _watching(directory, config, progress))
    copy(directory.keys, part.keys, lambda done, total: None)
    part.keys.chmod(0o600)
    if directory.control.exists():
        copy(directory.control, part.control, lambda done, total: None)
        part.control.chmod(0o600)
    write_durable(part.config, _read(directory.config), mode=0o644)
    if directory.tokens.exists():
        write_durable(part.tokens, _read(directory.tokens))
    keys = _put_keys(directory, part, config.origin, with_key=with_key)
    _put_checkpoint(part, keys, beside)
    saved = _checked(part, config.origin, keys, progress)
    staging.finish(part.path)
    return saved._replace(path=str(target), with_key=with_key)


def _watching(
    directory: Directory, config: GatewayConfig, progress: Progress
) -> Callable[[int, int], None]:
    """Stops before the gateway would have to: its log cannot be emptied while we read."""
    limit = None
    if config.retention.max_bytes is not None:
        limit = budget.divided(config.retention.max_bytes, config.ledger.max_batch).log_bytes
    log = directory.ledger.with_name(directory.ledger.name + "-wal")

    def step(done: int, total: int) -> None:
        progress("copying", done, total)
        if limit is not None and log.exists() and log.stat().st_size > limit * 3 // 4:
            raise ConfigError(
                "the gateway writes faster than its log has room for while it is copied",
                "raise retention.max_bytes, or stop the gateway for the backup",
            )

    return step


def _put_keys(directory: Directory, part: Directory, origin: str, *, with_key: bool) -> Keys:
    """The public key that belongs to the copy, and the secret one where it is wanted."""
    with looking_at(part.ledger) as view:
        keys = rotation.keys_of(view) or Keys(directory.load_verifier(origin))
        held = quarantine.load(directory.quarantine)
        if held:
            quarantine.check(view, keys, held)
    if with_key:
        if directory.load_signer(origin).verifier_key != keys.current:
            raise ConfigError(
                "signer.key is not the key of this ledger",
                "if its key is just being exchanged, try again; or leave --with-key out",
            )
        write_durable(part.signer, directory.signer.read_bytes())
    write_durable(part.verifier, f"{format_key(keys.current)}\n".encode(), mode=0o644)
    return keys


def _put_checkpoint(part: Directory, keys: Keys, beside: bytes) -> None:
    """The larger of the note that was beside the ledger and the one inside the copy."""
    with looking_at(part.ledger) as view:
        inside = view.state(CHECKPOINT) or b""
    sizes = {note: _size(note, keys) for note in (beside, inside)}
    note = max(sizes, key=lambda one: sizes[one])
    if sizes[note] < 0:
        raise ConfigError("the `checkpoint` file holds no note of this ledger", "restore it")
    write_durable(part.checkpoint, note, mode=0o644)


def _size(note: bytes, keys: Keys) -> int:
    """-1 where no key of the ledger signed it; one that is just being written may be torn."""
    try:
        return rotation.open_note(note.decode(errors="replace"), keys).size
    except ProtocolError:
        return -1


def _checked(part: Directory, origin: str, keys: Keys, progress: Progress) -> Saved:
    """The copy as a start and as fsck find it."""
    store, note, signed = part.open_unsigned(origin)
    try:
        showing = Options(
            keys.current, progress=lambda done, all_: progress("checking", done, all_)
        )
        report = fsck.check(store, origin, note, showing)
    finally:
        store.close()
    if not report.valid:
        raise DamagedError(
            f"the ledger is damaged: entry {report.first_bad}: {report.reason}",
            "run `tallystick verify DIR`; an older backup may have that entry whole",
        )
    return Saved("", origin, report.entries, signed, report.root, with_key=False)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "restore it") from error
