"""Between a directory's files and the disk: every call that changes them passes here.

Databases come through an SQLite VFS, small files through a `Disk`; both end in the real file
system. A tap sees each step before and after, may write it down, and may let it fail. Not
seen: reads, and -shm files (memory shared by connections, made anew at each start).
"""

# ruff: noqa: N802  # a VFS is spelt as SQLite spells it
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import apsw

_JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL


class File:
    """A file whatever it is called; `name` is its first name, for people."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class Write(NamedTuple):
    file: File
    offset: int
    data: bytes

    def __repr__(self) -> str:
        return f"Write({self.file}, {self.offset}, {len(self.data)} bytes)"


class Truncate(NamedTuple):
    file: File
    size: int


class Sync(NamedTuple):
    """Makes every earlier change to this one file durable."""

    file: File


class Link(NamedTuple):
    """A new, empty file."""

    name: str
    file: File


class Rename(NamedTuple):
    source: str
    target: str


class Unlink(NamedTuple):
    name: str


class SyncDirectory(NamedTuple):
    """Makes every earlier link, rename and unlink durable."""


Step = Write | Truncate | Sync | Link | Rename | Unlink | SyncDirectory


class Tap(Protocol):
    """OSError from either makes the call fail: before it did anything, or after it did it."""

    def before(self, step: Step) -> None: ...

    def after(self, step: Step) -> None: ...


class Shim:
    """One directory, watched by one tap. `disk` is for the small files."""

    def __init__(self, folder: Path, tap: Tap) -> None:
        self.folder = folder.resolve()
        self.tap = tap
        self.files = {
            path.name: File(path.name)
            for path in sorted(self.folder.iterdir())
            if not path.name.endswith("-shm")
        }
        self.disk = _Disk(self)

    def holds(self, path: str) -> bool:
        return os.path.dirname(path) == str(self.folder)

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        self.tap.before(step)
        yield
        self.tap.after(step)

    def file(self, path: str) -> File:
        """The file of that name, made by the caller where it is not there yet."""
        name = os.path.basename(path)
        if not os.path.exists(path):
            self.files[name] = File(name)
        return self.files[name]


@contextmanager
def watched(folder: Path, tap: Tap) -> Iterator[Shim]:
    """Every database that production code opens in `folder` meanwhile goes through `tap`."""
    shim = Shim(folder, tap)
    vfs = _Vfs(shim)
    try:
        yield shim
    finally:
        vfs.unregister()


class _Vfs(apsw.VFS):
    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        super().__init__("tallystick-tests", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not self._shim.holds(path):
            return apsw.VFSFile("unix", name, flags)
        file = self._shim.file(path)
        if os.path.exists(path) or not flags[0] & apsw.SQLITE_OPEN_CREATE:
            return _Watched(self._shim, file, name, flags)
        with _told(apsw.SQLITE_CANTOPEN), self._shim.step(Link(file.name, file)):
            return _Watched(self._shim, file, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:
        if not self._shim.holds(name):
            super().xDelete(name, sync)
            return
        with _told(apsw.SQLITE_IOERR_DELETE), self._shim.step(Unlink(os.path.basename(name))):
            super().xDelete(name, sync)
        if sync:
            with _told(apsw.SQLITE_IOERR_DIR_FSYNC), self._shim.step(SyncDirectory()):
                pass


class _Watched(apsw.VFSFile):
    def __init__(self, shim: Shim, file: File, name: Any, flags: list[int]) -> None:
        self._shim = shim
        self._file = file
        # as unix VFS does: the first sync of a journal that may be new syncs the directory, too
        self._fresh = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & _JOURNALS)
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        with (
            _told(apsw.SQLITE_IOERR_WRITE),
            self._shim.step(Write(self._file, offset, bytes(data))),
        ):
            super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        with _told(apsw.SQLITE_IOERR_TRUNCATE), self._shim.step(Truncate(self._file, size)):
            super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        with _told(apsw.SQLITE_IOERR_FSYNC), self._shim.step(Sync(self._file)):
            super().xSync(flags)
        if self._fresh:
            self._fresh = False
            self._shim.tap.after(SyncDirectory())


class _Disk:
    """The `Disk` of small files: what `os` does, step by step."""

    def __init__(self, shim: Shim) -> None:
        self._shim = shim
        self._open: dict[int, tuple[File | None, int]] = {}  # handle -> file, where it writes

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_DIRECTORY:
            handle = os.open(path, flags, mode)
            self._open[handle] = (None, 0)
            return handle
        there = path.exists()
        if not flags & (os.O_TRUNC if there else os.O_CREAT):
            handle = os.open(path, flags, mode)
            self._open[handle] = (self._shim.file(str(path)), 0)
            return handle
        file = self._shim.file(str(path))
        if there and not flags & os.O_TRUNC:
            handle = os.open(path, flags, mode)
        else:
            with self._shim.step(Truncate(file, 0) if there else Link(path.name, file)):
                handle = os.open(path, flags, mode)
        self._open[handle] = (file, 0)
        return handle

    def write(self, handle: int, data: bytes, /) -> int:
        file, offset = self._open[handle]
        assert file is not None
        with self._shim.step(Write(file, offset, data)):
            written = os.write(handle, data)
        self._open[handle] = (file, offset + written)
        return written

    def fsync(self, handle: int, /) -> None:
        file, _ = self._open[handle]
        with self._shim.step(SyncDirectory() if file is None else Sync(file)):
            os.fsync(handle)

    def ftruncate(self, handle: int, size: int, /) -> None:
        file, _ = self._open[handle]
        assert file is not None
        with self._shim.step(Truncate(file, size)):
            os.ftruncate(handle, size)

    def fdatasync(self, handle: int, /) -> None:
        file, _ = self._open[handle]
        assert file is not None
        with self._shim.step(Sync(file)):
            os.fdatasync(handle)

    def close(self, handle: int, /) -> None:
        os.close(handle)
        del self._open[handle]

    def replace(self, source: Path, target: Path, /) -> None:
        with self._shim.step(Rename(source.name, target.name)):
            os.replace(source, target)
        self._shim.files[target.name] = self._shim.files.pop(source.name)

    def unlink(self, path: Path, /) -> None:
        with self._shim.step(Unlink(path.name)):
            os.unlink(path)


@contextmanager
def _told(code: int) -> Iterator[None]:
    """An OSError as unix VFS would tell SQLite of it."""
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC and code == apsw.SQLITE_IOERR_WRITE
        raise apsw.exception_for(apsw.SQLITE_FULL if full else code) from error
