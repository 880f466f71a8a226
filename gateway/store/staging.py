"""Staging: a directory that is made under another name, so that a half made one is none."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from gateway.errors import ConfigError
from gateway.store.files import move_durable, sync_directory

_SUFFIX = ".part"


def begin(target: Path, names: Sequence[str]) -> Path:
    """An empty directory beside `target`; what an earlier try has left in it is removed.

    ConfigError where there is a `target` with anything in it, or where what is in the way has
    files that do not begin with one of `names`.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} is there already", "name a directory that is not")
    part = target.with_name(target.name + _SUFFIX)
    try:
        if part.exists():
            strange = [p.name for p in part.iterdir() if not p.name.startswith(tuple(names))]
            if strange:
                raise ConfigError(f"{part} is in the way, with {strange[0]}", "move it away")
            shutil.rmtree(part)
        part.mkdir(mode=0o700)
    except OSError as error:
        raise ConfigError(f"{part}: {error.strerror}", "name a directory you may make") from error
    return part


def finish(part: Path) -> None:
    """It gets its own name, for good; StoreFailedError where that is not sure."""
    sync_directory(part)
    move_durable(part, part.with_name(part.name.removesuffix(_SUFFIX)))
