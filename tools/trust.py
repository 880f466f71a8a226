"""Whose ledgers a collector takes: verifier keys in its collector.toml."""

import json
import tomllib
from pathlib import Path

from gateway import config as configs
from gateway.config import COLLECTOR_FILE, CollectorConfig
from gateway.errors import ConfigError
from gateway.store.files import write_durable
from protocol import note as notes
from protocol.errors import MalformedError

_WHICH_KEY = "copy the verifier key that `tallystick init` printed"


def remember_trust(path: Path, keys: list[str]) -> None:
    """Adds verifier keys to collector.toml, once each; the rest of the file stays as it is.

    ConfigError for one that is no ledger's, or a second one of a ledger: the first would count.
    """
    file = path / COLLECTOR_FILE
    held = configs.load(file, CollectorConfig).trust
    wanted = held + [key for key in dict.fromkeys(keys) if key not in held]
    names = [_ledger_of(key) for key in wanted]
    for name in names[len(held) :]:
        if names.count(name) > 1:
            raise ConfigError(
                f"{file} trusts another key of {name!r} already, and goes by that one",
                "if it was a wrong one, take it out of `trust` there; if the ledger's key was"
                " rotated, there is nothing to do: the collector follows by itself",
            )
    if wanted == held:
        return
    lines = file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("trust")]
    text = f"trust = {json.dumps(wanted)}\n" + "".join(kept)
    try:
        tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"{file}: `trust` is not on one line", f"write it by hand: trust = {json.dumps(wanted)}"
        ) from error
    write_durable(file, text.encode(), mode=0o644)


def _ledger_of(text: str) -> str:
    try:
        key = notes.parse_key(text)
    except MalformedError as error:
        raise ConfigError(f"{text!r}: {error}", _WHICH_KEY) from error
    if key.algorithm != notes.ED25519:
        raise ConfigError(f"{text!r} is a witness's key, not a ledger's", _WHICH_KEY)
    return key.name
