"""A ledger file of some hundred entries with device packs, and ways to damage copies of it."""

import shutil
import sqlite3
from pathlib import Path
from typing import NamedTuple

from gateway import directory as directories
from gateway.config import LedgerConfig
from gateway.directory import Directory
from gateway.ledger.signer import Signer
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.store import Store
from gateway.store.sqlite import SqliteStore
from tests.fakes import ORIGIN, FakeDevice, FakeSurroundings

SIZE = 600  # two stored subtree hashes, and a rest
CONFIG = f'origin = "{ORIGIN}"\n'


class Made(NamedTuple):
    """A directory as `tallystick init` makes it, filled and closed."""

    directory: Directory
    signer: Signer
    older: str  # a checkpoint somebody kept

    @property
    def vkey(self) -> str:
        return self.signer.verifier_text

    @property
    def note(self) -> str:
        return self.directory.checkpoint.read_text()

    def copy(self, folder: Path) -> "Made":
        shutil.copytree(self.directory.path, folder / "copy")
        return self._replace(directory=Directory(folder / "copy"))

    def open(self) -> Store:
        return SqliteStore(self.directory.ledger)

    def execute(self, sql: str, *values: object) -> None:
        database = sqlite3.connect(self.directory.ledger)
        with database:
            assert database.execute(sql, values).rowcount != 0, sql
        database.close()

    def value(self, sql: str) -> bytes:
        database = sqlite3.connect(self.directory.ledger)
        database.text_factory = bytes
        ((value,),) = database.execute(sql).fetchall()
        database.close()
        return value


def writer_on(store: Store, made: Directory, signer: Signer) -> LedgerWriter:
    surroundings = FakeSurroundings()
    surroundings.keep_checkpoint = made.keep_checkpoint  # type: ignore[method-assign]  # a real file, not memory
    return LedgerWriter(store, signer, surroundings, LedgerConfig(), Metrics())


def make(path: Path, *, size: int = SIZE, temperature: int = 21) -> Made:
    signer = directories.create(path, ORIGIN, CONFIG)
    made = Directory(path)
    made.path.joinpath("verifier.key").write_text(f"{signer.verifier_text}\n")
    store = SqliteStore(made.ledger)
    writer = writer_on(store, made, signer)
    devices = [FakeDevice(name) for name in ("shed", "cellar", "roof")]
    older = ""
    for start in range(0, size, 100):
        batch = [
            devices[n % 3].submission(n, value=temperature)
            for n in range(start, min(start + 100, size))
        ]
        writer.commit(batch, {})
        writer.sign_if_due(start, force=True)
        older = older or writer.note
    store.close()
    return Made(made, signer, older)
