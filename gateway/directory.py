"""A gateway's directory: which file is what, and how a new one is made."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog

from gateway import quarantine
from gateway.config import GATEWAY_FILE
from gateway.errors import ConfigError, RolledBackError
from gateway.ledger import rotation, start
from gateway.ledger.log import Log
from gateway.ledger.signer import Signer, format_signer_key, parse_signer_key
from gateway.store import Reader, Store
from gateway.store.files import (
    Disk,
    create_durable,
    make_directory,
    write_durable,
    write_in_place,
)
from gateway.store.keys import KeyStore
from gateway.store.number_file import NumberFile
from gateway.store.sqlite import SqliteStore
from gateway.witness import files as witnesses
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError
from protocol.note import VerifierKey, parse_key, parse_note
from protocol.rotation import Keys

SEED_BYTES = 32
_log = structlog.get_logger("directory")


class Directory(NamedTuple):
    """`disk` is what the small files are written through."""

    path: Path
    disk: Disk = os

    @property
    def config(self) -> Path:
        return self.path / GATEWAY_FILE

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.sqlite"

    @property
    def keys(self) -> Path:
        return self.path / "keys.sqlite"

    @property
    def control(self) -> Path:
        """What devices are to be told; made when the first is."""
        return self.path / "control.sqlite"

    @property
    def signer(self) -> Path:
        return self.path / "signer.key"

    @property
    def next_signer(self) -> Path:
        """The key to come, while it is exchanged."""
        return self.path / "signer.next"

    @property
    def verifier(self) -> Path:
        return self.path / "verifier.key"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint"

    @property
    def quarantine(self) -> Path:
        """Why nothing is signed, while that is so."""
        return self.path / "quarantine"

    @property
    def reserve(self) -> Path:
        """Space for a full disk to be written about with."""
        return self.path / "reserve"

    @property
    def oscore_numbers(self) -> Path:
        """How many numbers of its own the gateway has used under OSCORE."""
        return self.path / "oscore.numbers"

    @property
    def releases(self) -> Path:
        """Of devices' own files, a folder for each version; missing until one is published."""
        return self.path / "fw"

    @property
    def tokens(self) -> Path:
        return self.path / "tokens.json"

    def number_file(self) -> NumberFile:
        return NumberFile(self.oscore_numbers, disk=self.disk)

    def load_signer(self, origin: str) -> Signer:
        """The key that signs; ConfigError where there is none for `origin`."""
        return self._read_key(self.signer, origin)

    def load_next_signer(self, origin: str) -> Signer | None:
        """The key to come, where one was made; ConfigError where it is damaged."""
        return self._read_key(self.next_signer, origin) if self.next_signer.exists() else None

    def read_keys(self) -> Keys | None:
        """The keys that the ledger's entries speak of; None where its key never changed."""
        store = SqliteStore(self.ledger)
        try:
            return store.read(rotation.keys_of)
        finally:
            store.close()

    def _read_key(self, path: Path, origin: str) -> Signer:
        try:
            signer = parse_signer_key(path.read_text(errors="replace"))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}", "restore your backup") from error
        if signer.origin != origin:
            raise ConfigError(
                f"{path.name} signs for {signer.origin!r}, not for {origin!r}",
                "correct `origin` in tallystick.toml, or put the right key back",
            )
        return signer

    def open_checked(self, signer: Signer) -> tuple[Store, str, int]:
        """The store, its last note and the note's size, after the start-up check.

        RolledBackError where the ledger is not the one that the last checkpoint speaks of, or
        is in quarantine and does not continue what it is held to.
        """
        return self._open(signer.origin, lambda reader: rotation.held_keys(reader, signer))

    def open_unsigned(self, origin: str) -> tuple[Store, str, int]:
        """As `open_checked`, for whoever is not to sign: by its verifier key and its entries."""

        def held(reader: Reader) -> Keys:
            return rotation.keys_of(reader) or Keys(self.load_verifier(origin))

        return self._open(origin, held)

    def load_verifier(self, origin: str) -> VerifierKey:
        """ConfigError where verifier.key holds none of `origin`."""
        try:
            key = parse_key(self.verifier.read_text(errors="replace").strip())
        except (OSError, ProtocolError) as error:
            raise ConfigError(f"{self.verifier}: {error}", "restore your backup") from error
        if key.name != origin:
            raise ConfigError(
                f"{self.verifier} is of {key.name!r}, not of {origin!r}", "put the right one back"
            )
        return key

    def _open(self, origin: str, held_keys: Callable[[Reader], Keys]) -> tuple[Store, str, int]:
        store = SqliteStore(self.ledger)
        try:
            # whose ledger it is comes first: another's notes say nothing about ours
            if left_over := store.left_over():
                _log.warning("ledger.sqlite-wal was not read to its end", detail=left_over)
            store.read(lambda reader: start.check_origin(reader, origin))
            keys = store.read(held_keys)
            note, signed = self._last_signed(store, keys)
            store.read(lambda reader: _check_signed(reader, note, signed))
            held = quarantine.load(self.quarantine)
            if held:
                store.read(lambda reader: quarantine.check(reader, keys, held))
        except BaseException:
            store.close()
            raise
        return store, note, signed.size

    def keep_checkpoint(self, note: str) -> None:
        """In place: should the write be torn, the ledger holds the note before this one."""
        write_in_place(self.checkpoint, note.encode(), mode=0o644, disk=self.disk)

    def keep_verifier(self, signer: Signer) -> None:
        """verifier.key, for people to hand around; the ledger itself never reads it."""
        data = f"{signer.verifier_text}\n".encode()
        write_durable(self.verifier, data, mode=0o644, disk=self.disk)

    def _last_signed(self, store: Store, keys: Keys) -> tuple[str, Checkpoint]:
        """The larger of the note beside the ledger and the one inside it.

        What a power cut left of the one beside is passed over: the one inside came before it.
        """
        try:
            beside = self.checkpoint.read_text(errors="replace")
        except OSError as error:
            raise RolledBackError(
                f"{self.checkpoint}: {error.strerror}",
                "restore it: without the last signed checkpoint nothing will be signed",
            ) from error
        inside = store.read(lambda reader: reader.state(start.CHECKPOINT))
        held = [beside] if inside is None else [beside, inside.decode(errors="replace")]
        if inside is not None and _torn(beside, keys):
            _log.warning("checkpoint file is damaged, the ledger's own is used")
            held.remove(beside)
        return max(((note, _opened(note, keys)) for note in held), key=lambda pair: pair[1].size)


def create(path: Path, origin: str, config_text: str) -> Signer:
    """A new, empty gateway in `path`, and its witness. ConfigError where there is something."""
    directory, witness_name = Directory(path), f"{origin}/witness"
    witnesses.check_name(witness_name)
    make_directory(path)
    signer = Signer(origin, os.urandom(SEED_BYTES))
    seed_text = format_signer_key(origin, signer.seed)
    try:
        create_durable(directory.config, config_text.encode(), mode=0o644)
        create_durable(directory.signer, seed_text.encode())
    except FileExistsError as error:
        raise ConfigError(
            f"{error.filename} is there already", "choose another directory, or use this one"
        ) from error
    witnesses.create(path, witness_name)
    KeyStore(directory.keys, create=True).close()
    directory.number_file().reserve(0)
    create_ledger(directory, signer)
    return signer


def create_ledger(directory: Directory, signer: Signer) -> None:
    """A new, empty ledger, with the checkpoint that says so."""
    store = SqliteStore(directory.ledger, create=True)
    store.transact(lambda transaction: transaction.put_state(start.ORIGIN, signer.origin.encode()))
    directory.keep_checkpoint(signer.sign(0, Log.empty().root()))
    store.close()


def _check_signed(reader: Reader, note: str, signed: Checkpoint) -> None:
    try:
        start.check_signed(reader, Log.load(reader), signed)
    except RolledBackError as error:
        error.note = note
        raise


def _torn(note: str, keys: Keys) -> bool:
    """Whether this is no note, or one of ours in part. Somebody else's whole note is not torn."""
    ours = {(key.name, key.key_id) for _, key in keys.epochs}
    try:
        if ours.isdisjoint((line.name, line.key_id) for line in parse_note(note).signatures):
            return False
        rotation.open_note(note, keys)
    except ProtocolError:
        return True
    return False


def _opened(note: str, keys: Keys) -> Checkpoint:
    try:
        return rotation.open_note(note, keys)
    except ProtocolError as error:
        raise RolledBackError(
            f"the last checkpoint is not ours: {error}",
            "restore the `checkpoint` file and signer.key from the same backup",
        ) from error
