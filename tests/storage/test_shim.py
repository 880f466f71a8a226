"""What the shim sees is what reaches the operating system, in its order."""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import apsw
import pytest

from gateway.directory import Directory
from gateway.store.files import create_durable, write_durable
from tests.storage.images import recorded
from tests.storage.lives import Witness, small_wal
from tests.storage.shim import Step, SyncDirectory, Truncate, Unlink, Write
from tests.storage.workload import Workload, create

_INT, _LONG, _POINTER = ctypes.c_int, ctypes.c_long, ctypes.c_void_p
_CALLS = {
    "pwrite64": (ctypes.c_ssize_t, _INT, _POINTER, ctypes.c_size_t, _LONG),
    "ftruncate": (_INT, _INT, _LONG),
    "unlink": (_INT, ctypes.c_char_p),
    "openDirectory": (_INT, ctypes.c_char_p, _POINTER),  # it does so only to sync it
}
Call = tuple[object, ...]


def test_databases_are_recorded_as_their_system_calls_are_made(tmp_path: Path) -> None:
    """Through the WAL and its -shm, with readers, as in production; no lock is held for it."""
    create(Directory(tmp_path / "garden"))

    with system_calls() as made, recorded(tmp_path / "garden") as (_, record), small_wal(12):
        Workload(Directory(tmp_path / "garden"), Witness(lambda: 0), Random(1)).run()

    recorded_calls = [call for call in map(as_call, record.steps) if call]
    assert recorded_calls == [call for call in made if not str(call[1]).endswith("-shm")]
    assert {name for name, *_ in recorded_calls} == set(_CALLS)


def test_small_files_are_recorded_step_by_step(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("old")

    with recorded(tmp_path) as (shim, record):
        write_durable(tmp_path / "checkpoint", b"new", disk=shim.disk)
        create_durable(tmp_path / "key", b"secret", disk=shim.disk)

    assert [repr(step) for step in record.steps] == [
        "Link(name='checkpoint.new', file=checkpoint.new)",
        "Write(checkpoint.new, 0, 3 bytes)",
        "Sync(file=checkpoint.new)",
        "Rename(source='checkpoint.new', target='checkpoint')",
        "SyncDirectory()",
        "Link(name='key', file=key)",
        "Write(key, 0, 6 bytes)",
        "Sync(file=key)",
        "SyncDirectory()",
    ]


def test_other_directories_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "watched").mkdir()

    with recorded(tmp_path / "watched") as (_, record):
        create(Directory(tmp_path / "garden"))

    assert record.steps == []


def as_call(step: Step) -> Call | None:
    """The system call that a step of SQLite is made of."""
    if isinstance(step, Write):
        return ("pwrite64", step.file.name, len(step.data), step.offset)
    if isinstance(step, Truncate):
        return ("ftruncate", step.file.name, step.size)
    if isinstance(step, Unlink):
        return ("unlink", step.name)
    return ("openDirectory", "") if isinstance(step, SyncDirectory) else None


@contextmanager
def system_calls() -> Iterator[list[Call]]:
    """What SQLite itself asks of the system meanwhile."""
    unix = apsw.VFS("calls", "unix")
    if not unix.xGetSystemCall("pwrite64"):
        pytest.skip("this system's SQLite writes by another call")
    made: list[Call] = []
    before = {name: unix.xGetSystemCall(name) for name in _CALLS}
    spies = []
    for name, types in _CALLS.items():
        prototype = ctypes.CFUNCTYPE(*types)
        spies.append(prototype(_spy(name, prototype(before[name]), made)))
        unix.xSetSystemCall(name, ctypes.cast(spies[-1], _POINTER).value)
    try:
        yield made
    finally:
        for name, call in before.items():
            unix.xSetSystemCall(name, call)
        unix.unregister()


def _spy(name: str, real: Callable[..., int], made: list[Call]) -> Callable[..., int]:
    def call(*arguments: object) -> int:
        if name == "openDirectory":
            made.append((name, ""))
        elif name == "unlink":
            made.append((name, os.path.basename(os.fsdecode(arguments[0]))))
        else:
            file = os.path.basename(os.readlink(f"/proc/self/fd/{arguments[0]}"))
            made.append((name, file, *arguments[1 + (name == "pwrite64") :]))
        return real(*arguments)

    return call
