"""A witness's files in a gateway's or a collector's directory: its key, and what it remembers."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.errors import ConfigError, StoreFailedError
from gateway.store.files import create_durable
from gateway.store.witness import WitnessTable, lost
from gateway.witness.cosigner import Cosigner
from gateway.witness.witness import Witness
from protocol import note as notes
from protocol.errors import MalformedError
from protocol.note import VerifierKey

KEY, VERIFIER, TABLE = "witness.key", "witness.vkey", "witness.sqlite"
REST = (VERIFIER, TABLE, f"{TABLE}-journal")  # what there is beside the key
_SEED_BYTES = 32


def create(directory: Path, name: str) -> Cosigner:
    """A new witness that saw nothing yet; ConfigError where there is one, or `name` is no name."""
    check_name(name)
    cosigner = Cosigner(name, os.urandom(_SEED_BYTES))
    try:
        # the key last: where there is a key, there is a memory
        WitnessTable(directory / TABLE, create=True).close()
        create_durable(directory / VERIFIER, f"{cosigner.verifier_text}\n".encode(), mode=0o644)
        create_durable(directory / KEY, cosigner.format().encode())
    except FileExistsError as error:
        raise ConfigError(
            f"{error.filename} is there already", "choose another directory, or use this one"
        ) from error
    return cosigner


def check_name(name: str) -> None:
    """ConfigError where no witness can be called so."""
    try:
        notes.check_name(name)
    except MalformedError as error:
        raise ConfigError(f"{name!r} cannot be a witness's name", "use --name") from error


def opened(
    directory: Path,
    trusted: Callable[[str, int], Sequence[VerifierKey]],
    unix_ms: Callable[[], int],
) -> Witness | None:
    """The witness of `directory`, None where there is none; its caller closes it.

    ConfigError where its key or its memory is lost or damaged: it must not go on.
    """
    cosigner = _load_key(directory / KEY)
    if cosigner is None:
        return None
    table = WitnessTable(directory / TABLE)
    witness = Witness(cosigner, table, trusted, unix_ms)
    try:
        for origin in witness.origins():
            witness.latest(origin)
            witness.evidence(origin)
    except StoreFailedError as error:
        table.close()
        raise lost(str(error)) from error
    return witness


def _load_key(path: Path) -> Cosigner | None:
    try:
        return Cosigner.parse(path.read_text(errors="replace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "make it a file you may read") from error
    except MalformedError as error:
        raise ConfigError(
            f"{path} does not hold a key",
            "restore it, or retire this witness: `tallystick new-witness DIR --name NEW-NAME`",
        ) from error
