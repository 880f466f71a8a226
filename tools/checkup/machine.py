"""What `doctor` finds out about the machine: Python, SQLite, the clock, and the disk's wear."""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.config import LedgerConfig
from gateway.ledger.writer import CLOCK_FLOOR_MS
from gateway.store import sqlite
from tools.checkup.finding import BAD, WARN, Finding, fine
from tools.facts import Facts
from tools.wear import Load, measure

_PYTHON = (3, 11)
_WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))  # the first and the last version that has it
_CLOCK_SLACK_MS = 1000
_SYNCS, _SYNC_BYTES = 100, 512
_SLOW_S, _STALLED_S = 0.05, 1.0
_WEAR_S = 200  # of made-up time: long enough for the log to be emptied into the file
_WEAR_ROOM_BYTES = 64 * 1024 * 1024
_RATE = 10.0  # readings a second, where the ledger does not say
_YEAR_S = 365 * 86_400
_SHORT_YEARS, _TOO_SHORT_YEARS = 3, 0.5
Progress = Callable[[str, int, int], None]


class Card(NamedTuple):
    """What an SD card is taken to be. `amplification`: bytes it writes for one it is told to."""

    size_gb: int
    cycles: int
    amplification: int

    def years(self, bytes_per_s: float) -> float:
        whole = self.size_gb * 10**9 * self.cycles
        return whole / (bytes_per_s * self.amplification * _YEAR_S)

    def __str__(self) -> str:
        return f"{self.size_gb} GB, {self.cycles} cycles, write amplification {self.amplification}"


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    text = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    if version < _PYTHON:
        return Finding("python", BAD, text, "install Python 3.11 or later")
    return fine("python", text)


def sqlite_library(version: tuple[int, int, int]) -> Finding:
    text = f"SQLite {'.'.join(map(str, version))}, carried by apsw"
    first, last = _WAL_RESET_BUG
    if first <= version <= last:
        return Finding(
            "sqlite",
            BAD,
            f"{text}: it has the bug that can damage a ledger when its log is reset",
            "pip install --upgrade apsw",
        )
    return fine("sqlite", text)


def sqlite_used() -> Finding:
    return sqlite_library(sqlite.version())


def clock(now_ms: int, facts: Facts | None) -> Finding:
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_ms / 1000))
    fix = "set it, or let it be set: systemctl enable --now systemd-timesyncd"
    if now_ms < CLOCK_FLOOR_MS:
        return Finding("clock", BAD, f"{moment}: it is not set", fix)
    if facts and now_ms < facts.received_ms - _CLOCK_SLACK_MS:
        behind_s = (facts.received_ms - now_ms) // 1000
        return Finding("clock", BAD, f"{moment}: {behind_s} s before the last entry", fix)
    return fine("clock", moment)


def syncs(folder: Path, progress: Progress) -> Finding:
    """How long a small write takes to be on stable storage; measured in `folder`."""
    took_s = []
    try:
        with tempfile.NamedTemporaryFile(prefix="doctor-", dir=folder) as file:
            for n in range(_SYNCS):
                started = time.perf_counter()
                os.pwrite(file.fileno(), os.urandom(_SYNC_BYTES), n * _SYNC_BYTES)
                os.fdatasync(file.fileno())
                took_s.append(time.perf_counter() - started)
                progress("syncs", n + 1, _SYNCS)
    except OSError as error:
        return Finding("sync", BAD, f"{folder}: {error.strerror}", "make it a disk to write to")
    return judged_syncs(took_s)


def judged_syncs(took_s: list[float]) -> Finding:
    median_s = statistics.median(took_s)
    p99_s = sorted(took_s)[int(len(took_s) * 0.99)]
    text = f"{median_s * 1000:.1f} ms in the middle, {p99_s * 1000:.1f} ms at worst but 1 in 100"
    if p99_s > _STALLED_S:
        return Finding("sync", WARN, text, "another card, or a disk: a device waits that long")
    if median_s > _SLOW_S:
        fix = '[ledger] durability = "balanced", and more readings in each pack'
        return Finding("sync", WARN, text, fix)
    return fine("sync", text)


def wear(
    folder: Path, config: LedgerConfig, facts: Facts | None, card: Card, progress: Progress
) -> Finding:
    """What a scratch ledger in `folder` has written for a reading, and the years that means."""
    per_pack = (facts and facts.readings_per_pack) or 10
    rate = (facts and facts.readings_per_s) or _RATE
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < _WEAR_ROOM_BYTES:
        return Finding("wear", WARN, "not measured: too little space is free", "make room")
    with tempfile.TemporaryDirectory(prefix="doctor-", dir=folder) as scratch:
        written = measure(
            Path(scratch) / "ledger",
            config,
            Load(devices=1, readings=per_pack),
            _WEAR_S,
            progress=lambda second: progress("wear", second, _WEAR_S),
        )
    if written is None:
        return fine("wear", "not counted here: a file system in memory, or no /proc")
    return judged_wear(written, per_pack, rate, card, config)


def judged_wear(
    written: float, per_pack: int, rate: float, card: Card, config: LedgerConfig
) -> Finding:
    years = card.years(written * rate)
    text = (
        f"{written:.0f} bytes a reading, in packs of {per_pack}, {config.durability};"
        f" {rate:.3g} readings/s wear out a card of {card} in {_years(years)}"
    )
    if years >= _SHORT_YEARS:
        return fine("wear", text)
    fix = "more readings_per_pack on the boards; a larger ledger.checkpoint_every_ms; a disk"
    return Finding("wear", BAD if years < _TOO_SHORT_YEARS else WARN, text, fix)


def _years(years: float) -> str:
    return "more than 100 years" if years > 100 else f"{years:.1f} years"
