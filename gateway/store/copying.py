"""Copies of a database as it is at one moment, while others go on writing it.

SQLite's backup (sqlite.org/backup.html) begins anew whenever another connection has written,
unless its own one has a read transaction open: then it copies that moment's state, once. The
price is that the log beside the source cannot be emptied meanwhile, and grows.
"""

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from gateway.store.files import on_disk
from gateway.store.sqlite import mapped_errors, open_reader

_STEP_PAGES = 1000  # 2 to 4 MB; synced each, or the last sync would hold up everybody's
Progress = Callable[[int, int], None]  # pages copied, of how many


def copy(source: Path, target: Path, progress: Progress) -> None:
    """`target` is new, and on stable storage on return. StoreFailedError where that fails."""
    with mapped_errors(), on_disk(target.name):
        reader = open_reader(source)
        writer = apsw.Connection(str(target))
        try:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # this is the moment
            writer.pragma("journal_mode", "off")  # a copy that is torn is thrown away
            writer.pragma("synchronous", "off")
            _copy(reader, writer, target, progress)
        finally:
            writer.close()
            reader.close()


def _copy(
    reader: apsw.Connection, writer: apsw.Connection, target: Path, progress: Progress
) -> None:
    handle = os.open(target, os.O_RDONLY)
    try:
        with writer.backup("main", reader, "main") as backup:
            while not backup.done:
                backup.step(_STEP_PAGES)
                os.fsync(handle)
                progress(backup.page_count - backup.remaining, backup.page_count)
        os.fsync(handle)
    finally:
        os.close(handle)
