"""Releases of devices' own files, as whoever holds the release key has made them.

A gateway hands on what was published in its directory and has no key to sign with: a device
checks the manifest, and every file by it. A release never changes once it is published.
"""

import hashlib
import io
import shutil
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from gateway.errors import ConfigError, NotFoundError
from gateway.store.files import make_directory, sync_directory, write_durable
from protocol import manifest
from protocol.errors import ProtocolError
from protocol.manifest import File, Head

ETAG_BYTES = 8  # the start of a file's SHA-256, which a device knows of the manifest
_MAX_FOUND_BYTES = max(manifest.MAX_FILE_BYTES, manifest.MAX_BYTES + 128)
_REMEMBERED = 64  # files, 4 MB at most


class Found(NamedTuple):
    content: bytes
    etag: bytes


class Release(NamedTuple):
    head: Head
    files: list[File]


class Releases:
    """`folder` has a folder for each version; there may be none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, version: str, path: str) -> Found:
        """NotFoundError for what is no file of a release, wherever a link may lead."""
        known = path == manifest.NAME or manifest.is_path(path)
        if not known or not manifest.is_version(version):
            raise NotFoundError("no file of a release")
        file = self.folder / version / path
        try:
            real = file.resolve(strict=True)
            status = real.stat()
        except OSError as error:
            raise NotFoundError("no such release, or no such file in it") from error
        inside = real.is_relative_to(self.folder.resolve())
        if not inside or not real.is_file() or status.st_size > _MAX_FOUND_BYTES:
            raise NotFoundError("no file of a release")
        return _read(real, status.st_mtime_ns, status.st_ino, status.st_size)

    def versions(self) -> list[Release]:
        """Those that are there whole, the newest first."""
        if not self.folder.is_dir():
            return []
        names = [one.name for one in self.folder.iterdir() if manifest.is_version(one.name)]
        found = [opened(self.folder / name) for name in names]
        return sorted(found, key=lambda one: one.head.counter, reverse=True)

    def publish(self, source: Path) -> Release:
        """Copies a release, all of it or nothing; ConfigError where it is not what it says."""
        release = opened(source)
        target = self.folder / release.head.version
        if target.exists():
            if (target / manifest.NAME).read_bytes() == (source / manifest.NAME).read_bytes():
                return opened(target)
            raise ConfigError(
                f"{release.head.version} is published with other content",
                "build it under another --version: what is published never changes",
            )
        make_directory(self.folder)
        half_done = self.folder / ".new"
        shutil.rmtree(half_done, ignore_errors=True)
        for path in [*(file.path for file in release.files), manifest.NAME]:
            (half_done / path).parent.mkdir(parents=True, exist_ok=True)
            write_durable(half_done / path, (source / path).read_bytes(), mode=0o644)
        opened(half_done)
        half_done.rename(target)
        sync_directory(self.folder)
        return release


def opened(folder: Path) -> Release:
    """The release in `folder`, every file of it checked by its manifest; its signature is not.

    ConfigError where something is missing, damaged or too much.
    """
    fix = "build it anew with `tallystick firmware build`"
    try:
        listed = io.BytesIO((folder / manifest.NAME).read_bytes())
        release = Release(manifest.head_of(listed), list(manifest.files(listed)))
    except OSError as error:
        raise ConfigError(f"{folder / manifest.NAME}: {error.strerror}", fix) from error
    except ProtocolError as error:
        raise ConfigError(f"{folder / manifest.NAME}: {error}", fix) from error
    for file in release.files:
        try:
            content = (folder / file.path).read_bytes()
        except OSError as error:
            raise ConfigError(f"{folder / file.path}: {error.strerror}", fix) from error
        if hashlib.sha256(content).digest() != file.digest:
            raise ConfigError(f"{folder / file.path} is not what the manifest says", fix)
    return release


@lru_cache(maxsize=_REMEMBERED)
def _read(path: Path, modified_ns: int, inode: int, size: int) -> Found:
    """Once for all blocks of a file, until it is another one."""
    with path.open("rb") as file:
        content = file.read(size)
    return Found(content, hashlib.sha256(content).digest()[:ETAG_BYTES])
