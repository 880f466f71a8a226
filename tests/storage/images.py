"""What a disk may hold after the power fails: images of a record, cut anywhere.

Sync semantics are the weakest that a program may count on: a sync makes the earlier changes of
that one file durable, a directory's sync its names, and nothing else is sure. What was not
synced may be there, be missing, be torn at a sector, come in another order, or be junk.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.storage.shim import (
    File,
    Link,
    Rename,
    Shim,
    Step,
    Sync,
    SyncDirectory,
    Truncate,
    Unlink,
    Write,
    watched,
)

Change = Write | Truncate
Move = Link | Rename | Unlink
Image = dict[str, bytes]
NOTHING = File("nothing")  # to sync it does nothing
KINDS = ("dropped", "subset", "torn", "reordered", "junk")
_SECTORS = (512, 4096)


class Record:
    """The steps of a life in order. What was in the directory before them is on the disk."""

    def __init__(self) -> None:
        self.names: dict[str, File] = {}
        self.contents: dict[File, bytes] = {}
        self.steps: list[Step] = []

    def before(self, step: Step) -> None:
        pass

    def after(self, step: Step) -> None:
        self.steps.append(step)


class ForgetfulRecord(Record):
    """Of a disk that fails some syncs and, as Linux does, drops what these were to write.

    It is not written by a later sync either: only if it is written to the file anew. `failing`
    is for its owner to switch.
    """

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self._dice = dice
        self.failing = False
        self.failures = 0

    def before(self, step: Step) -> None:
        if not self.failing or not isinstance(step, Sync) or self._dice.random() > 0.1:
            return
        self.failures += 1
        for at in reversed(range(len(self.steps))):
            earlier = self.steps[at]
            if isinstance(earlier, Sync) and earlier.file is step.file:
                break
            mine = isinstance(earlier, Write | Truncate) and earlier.file is step.file
            if mine and self._dice.random() < 0.7:
                self.steps[at] = Sync(NOTHING)
        raise OSError(errno.EIO, "EIO")


class Cut(NamedTuple):
    """The disk's sure part, and what was on its way, in order."""

    names: dict[str, File]
    contents: dict[File, bytearray]
    changes: list[Change]
    moves: list[Move]


@contextmanager
def recorded(folder: Path, record: Record | None = None) -> Iterator[tuple[Shim, Record]]:
    record = record or Record()
    with watched(folder, record) as shim:
        record.names = dict(shim.files)
        record.contents = {file: (folder / name).read_bytes() for name, file in shim.files.items()}
        yield shim, record


def cut(record: Record, at: int) -> Cut:
    """The power fails after the first `at` steps."""
    result = Cut(
        dict(record.names),
        {file: bytearray(data) for file, data in record.contents.items()},
        [],
        [],
    )
    for step in record.steps[:at]:
        if isinstance(step, Sync):
            mine = [change for change in result.changes if change.file is step.file]
            apply(result.contents, mine)
            result.changes[:] = [c for c in result.changes if c.file is not step.file]
        elif isinstance(step, SyncDirectory):
            move(result.names, result.moves)
            result.moves.clear()
        elif isinstance(step, Write | Truncate):
            result.changes.append(step)
        else:
            result.moves.append(step)
    return result


def image(found: Cut, kind: str, dice: Random) -> Image:
    """One state the disk may be in; `dice` decide where `kind` leaves a choice."""
    contents = {file: bytearray(data) for file, data in found.contents.items()}
    changes = list(found.changes)
    apply(contents, _MADE[kind](changes, dice))
    if dice.random() < 0.25:  # the length was written, the data not
        _lengthen(contents, changes)
    names = dict(found.names)
    chance = dice.choice((0.0, 0.5, 1.0))
    move(names, [one for one in found.moves if dice.random() < chance])
    return {name: bytes(contents.get(file, b"")) for name, file in names.items()}


def apply(contents: dict[File, bytearray], changes: list[Change]) -> None:
    for change in changes:
        data = contents.setdefault(change.file, bytearray())
        if isinstance(change, Truncate):
            del data[change.size :]
            data.extend(bytes(change.size - len(data)))
        else:
            data.extend(bytes(max(change.offset - len(data), 0)))
            data[change.offset : change.offset + len(change.data)] = change.data


def move(names: dict[str, File], moves: list[Move]) -> None:
    for one in moves:
        if isinstance(one, Link):
            names[one.name] = one.file
        elif isinstance(one, Rename):
            if one.source in names:
                names[one.target] = names.pop(one.source)
        else:
            names.pop(one.name, None)


def _dropped(changes: list[Change], dice: Random) -> list[Change]:
    return []


def _subset(changes: list[Change], dice: Random) -> list[Change]:
    chance = dice.choice((0.25, 0.5, 0.75, 1.0))
    return [change for change in changes if dice.random() < chance]


def _torn(changes: list[Change], dice: Random) -> list[Change]:
    """The last write arrived up to a sector's end, or from one on."""
    earlier = changes[:-1] if dice.random() < 0.5 else []
    return earlier + [part for one in changes[-1:] for part in _tear(one, dice)]


def _reordered(changes: list[Change], dice: Random) -> list[Change]:
    return dice.sample(changes, dice.randint(0, len(changes)))


def _junk(changes: list[Change], dice: Random) -> list[Change]:
    """What the flash was busy with comes back as anything."""
    return [
        change._replace(data=dice.randbytes(len(change.data)))
        if isinstance(change, Write) and dice.random() < 0.5
        else change
        for change in changes
    ]


_MADE = dict(zip(KINDS, (_dropped, _subset, _torn, _reordered, _junk), strict=True))


def _tear(change: Change, dice: Random) -> list[Change]:
    if isinstance(change, Truncate):
        return []
    sector, end = dice.choice(_SECTORS), change.offset + len(change.data)
    borders = range(change.offset // sector * sector + sector, end, sector)
    if not borders:  # within one sector: all or nothing
        return dice.choice(([], [change]))
    length = dice.choice(borders) - change.offset
    if dice.random() < 0.5:
        return [change._replace(data=change.data[:length])]
    return [change._replace(offset=change.offset + length, data=change.data[length:])]


def _lengthen(contents: dict[File, bytearray], changes: list[Change]) -> None:
    for change in changes:
        if isinstance(change, Write):
            data = contents.setdefault(change.file, bytearray())
            data.extend(bytes(max(change.offset + len(change.data) - len(data), 0)))
