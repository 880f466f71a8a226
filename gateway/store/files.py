"""Small files that must be whole after a power cut: keys, tokens, the last checkpoint."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from gateway.errors import StoreFailedError


class Disk(Protocol):
    """What of `os` a small file is written through; errors are OSError."""

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int: ...

    def write(self, handle: int, data: bytes, /) -> int: ...

    def ftruncate(self, handle: int, size: int, /) -> None: ...

    def fsync(self, handle: int, /) -> None: ...

    def fdatasync(self, handle: int, /) -> None: ...

    def close(self, handle: int, /) -> None: ...

    def replace(self, source: Path, target: Path, /) -> None: ...

    def unlink(self, path: Path, /) -> None: ...


@contextmanager
def on_disk(what: str) -> Iterator[None]:
    """The operating system's errors as ours; `what` is for people."""
    try:
        yield
    except OSError as error:
        raise StoreFailedError(f"{what}: {error.strerror}") from error


def write_durable(path: Path, data: bytes, *, mode: int = 0o600, disk: Disk = os) -> None:
    """`path` holds `data`, or what it held before; StoreFailedError where neither is sure."""
    temporary = path.with_name(path.name + ".new")
    with on_disk(path.name):
        handle = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            _write_all(disk, handle, data)
            disk.fsync(handle)
        finally:
            disk.close(handle)
        disk.replace(temporary, path)
        _sync_directory(disk, path.parent)


def write_in_place(path: Path, data: bytes, *, mode: int = 0o600, disk: Disk = os) -> None:
    """`path` holds `data`; StoreFailedError, and after a power cut, leave anything in it.

    For what is written often and is kept elsewhere, too: in place, a sync writes one block,
    where a new file, a rename and the directory make the file system write a dozen.
    """
    with on_disk(path.name):
        try:
            handle = disk.open(path, os.O_WRONLY)
        except FileNotFoundError:
            write_durable(path, data, mode=mode, disk=disk)
            return
        try:
            longer = os.fstat(handle).st_size > len(data)
            _write_all(disk, handle, data)
            if longer:
                disk.ftruncate(handle, len(data))
            disk.fdatasync(handle)
        finally:
            disk.close(handle)


def make_directory(path: Path, *, disk: Disk = os) -> None:
    """`path` for its owner only, and what it lies in, also after a power cut."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    os.makedirs(path, mode=0o700, exist_ok=True)
    for folder in missing:
        _sync_directory(disk, folder.parent)


def create_durable(path: Path, data: bytes, *, mode: int = 0o600, disk: Disk = os) -> None:
    """A new file; FileExistsError where there is one, which is then left alone."""
    handle = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        _write_all(disk, handle, data)
        disk.fsync(handle)
    finally:
        disk.close(handle)
    _sync_directory(disk, path.parent)


def move_durable(source: Path, target: Path, *, disk: Disk = os) -> None:
    """`target` is what `source` was, also after a power cut; StoreFailedError otherwise."""
    with on_disk(source.name):
        disk.replace(source, target)
        for folder in {target.parent, source.parent}:
            _sync_directory(disk, folder)


def remove_durable(path: Path, *, disk: Disk = os) -> None:
    """No `path` any more, also after a power cut; StoreFailedError otherwise."""
    with on_disk(path.name), suppress(FileNotFoundError):
        disk.unlink(path)
        _sync_directory(disk, path.parent)


def sync_directory(path: Path, *, disk: Disk = os) -> None:
    """The names in `path` are on stable storage on return; StoreFailedError otherwise."""
    with on_disk(path.name):
        _sync_directory(disk, path)


def safe_name(origin: str) -> str:
    """A file name: a readable start and a hash, as origins hold anything but a space or a +."""
    readable = "".join(c if c.isalnum() or c in "-." else "_" for c in origin)[:40]
    return f"{readable}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}"


def overwrite(path: Path, *, disk: Disk = os) -> None:
    """Zeros in the place of a secret that is to go; best effort.

    A flash translation layer, a copying file system or a backup may hold it still: a key that
    somebody could have read has to be useless, not only gone.
    """
    try:
        handle = disk.open(path, os.O_WRONLY)
        try:
            _write_all(disk, handle, bytes(path.stat().st_size))
            disk.fsync(handle)
        finally:
            disk.close(handle)
    except OSError:
        pass


def _write_all(disk: Disk, handle: int, data: bytes) -> None:
    while data:  # a nearly full disk takes a part
        data = data[disk.write(handle, data) :]


def _sync_directory(disk: Disk, path: Path) -> None:
    handle = disk.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        disk.fsync(handle)
    finally:
        disk.close(handle)
