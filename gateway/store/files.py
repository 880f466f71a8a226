"""Small files that must be whole after a power cut: keys, tokens, the last checkpoint."""

import os
from pathlib import Path

from gateway.errors import StoreFailedError


def write_durable(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """`path` holds `data`, or what it held before; StoreFailedError where neither is sure."""
    temporary = path.with_name(path.name + ".new")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            _write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, path)
        _sync_directory(path.parent)
    except OSError as error:
        raise StoreFailedError(f"{path.name}: {error.strerror}") from error


def create_durable(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """A new file; FileExistsError where there is one, which is then left alone."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        _write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    _sync_directory(path.parent)


def _write_all(handle: int, data: bytes) -> None:
    while data:  # a nearly full disk takes a part
        data = data[os.write(handle, data) :]


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
