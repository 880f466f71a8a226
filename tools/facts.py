"""Facts: what a gateway's files say of it, beside whoever writes them. Changes nothing."""

import os
from typing import NamedTuple

from gateway.directory import Directory
from gateway.errors import GatewayError
from gateway.forward.worker import CURSOR, cursor_of
from gateway.ledger.batch import PACK
from gateway.ledger.start import ANCHORED, CHECKPOINT
from gateway.store import PAGE_BYTES, Entry, Query, Reader
from gateway.store.sqlite import looking_at
from protocol import checkpoint as checkpoints
from protocol import fault as faults
from protocol import resolve, sealed_reader
from protocol.errors import ProtocolError
from protocol.fault import FAULT, INTEGRITY

_RECENT = 10_000  # entries that rates and faults are taken from
_PACKS = 50  # packs that are opened to see how many readings are in one
_LEAST_S = 60  # a rate over less is noise
_DAY_S = 86_400


class Facts(NamedTuple):
    """Sizes are numbers of entries. Rates are of the last entries, None where there are too few.

    `unanchored_ms` is when the oldest entry came that is not anchored. `open_faults` are the
    recorded ones that are not recorded as over.
    """

    entries: int
    signed: int
    anchored: int
    forwarded: int
    received_ms: int
    unanchored_ms: int | None
    used_bytes: int
    file_bytes: int
    log_bytes: int
    entries_per_s: float | None
    readings_per_pack: int | None
    open_faults: list[str]

    @property
    def readings_per_s(self) -> float | None:
        if self.entries_per_s is None or self.readings_per_pack is None:
            return None
        return self.entries_per_s * self.readings_per_pack

    def days_left(self, room_bytes: int) -> float | None:
        """Until `room_bytes` are taken at the rate of the last entries, if nothing is deleted."""
        if self.entries_per_s is None or not self.entries:
            return None
        per_day = self.used_bytes / self.entries * self.entries_per_s * _DAY_S
        return room_bytes / per_day if per_day else None


def read(directory: Directory) -> Facts:
    """StoreFailed- or ConfigError where the ledger cannot be read."""
    beside = _text(directory.checkpoint)
    log = directory.ledger.with_name(directory.ledger.name + "-wal")
    with looking_at(directory.ledger) as view:
        last = view.last()
        size = last.index + 1 if last else 0
        notes = [beside, _state(view, CHECKPOINT)]
        anchored = min(_size(_state(view, ANCHORED)), size)
        pages, free = view.pages()
        recent = view.entries(max(size - _RECENT, 0), max(size - _RECENT, 0) + 1)
        return Facts(
            entries=size,
            signed=min(max(map(_size, notes)), size),
            anchored=anchored,
            forwarded=min(cursor_of(view.state(CURSOR)), size),
            received_ms=last.received_ms if last else 0,
            unanchored_ms=_received_ms(view, anchored),
            used_bytes=(pages - free) * PAGE_BYTES,
            file_bytes=_file_size(directory.ledger),
            log_bytes=_file_size(log),
            entries_per_s=_rate(recent[0], last) if recent and last else None,
            readings_per_pack=_readings_per_pack(view, size),
            open_faults=_open_faults(view, size),
        )


def free_bytes(directory: Directory) -> int:
    disk = os.statvfs(directory.path)
    return disk.f_bavail * disk.f_frsize


def _rate(first: Entry, last: Entry) -> float | None:
    seconds = (last.received_ms - first.received_ms) / 1000
    return (last.index - first.index) / seconds if seconds >= _LEAST_S else None


def _readings_per_pack(view: Reader, size: int) -> int | None:
    """The mean of some of the last packs, as far as their bodies are there and sound."""
    found = view.select(Query(after=max(size - 1 - _RECENT, -1), kind=PACK, limit=_PACKS))
    counts = []
    for entry in found.entries:
        if entry.body is not None:
            try:
                counts.append(len(resolve.decode_pack(sealed_reader.parse(entry.body).payload)))
            except ProtocolError:
                continue
    return round(sum(counts) / len(counts)) if counts else None


def _open_faults(view: Reader, size: int) -> list[str]:
    """By what they are; of those with a begin and an end, the last begin without one."""
    after = max(size - 1 - _RECENT, -1)
    found = view.select(Query(after=after, kind=FAULT, limit=_RECENT, scan=_RECENT))
    still: dict[str, str] = {}
    for entry in found.entries:
        try:
            fault = faults.decode(entry.body or b"")
        except ProtocolError:
            continue
        if fault.what == INTEGRITY:
            still[fault.detail] = f"entry {entry.index} records: {fault.detail}"
        elif fault.refused is None:
            still[fault.what] = f"entry {entry.index} records: {fault.what}, {fault.detail}"
        else:
            still.pop(fault.what, None)
    return list(still.values())


def _received_ms(view: Reader, index: int) -> int | None:
    found = view.entries(index, index + 1)
    return found[0].received_ms if found else None


def _state(view: Reader, key: str) -> str:
    return (view.state(key) or b"").decode(errors="replace")


def _size(note: str) -> int:
    """Whose it is, is not checked here: `verify` does."""
    try:
        return checkpoints.unverified(note).size if note else 0
    except (ProtocolError, GatewayError):
        return 0


def _text(path: os.PathLike[str]) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _file_size(path: os.PathLike[str]) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
