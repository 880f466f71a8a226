"""One bit of a file turns over: who notices, or is nothing lost?

A start, the outside verifier, fsck and SQLite's own check are asked, in this order. What none
of them names must be harmless: all that the files say reads the same as before.
"""

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

import apsw
from structlog.testing import capture_logs

from gateway import tokens
from gateway.directory import Directory
from gateway.errors import FatalError, GatewayError
from gateway.ledger import fsck
from tests.fakes import ORIGIN, FakeDevice
from tests.storage.lives import CURSOR, Content, Life, Members, Witness
from tests.storage.workload import Workload, create
from tools.sources import UnusableError
from tools.verify import verdicts_of

# file -> how many of a hundred flips are in it
FILES = {
    "ledger.sqlite": 30,
    "ledger.sqlite-wal": 25,
    "keys.sqlite": 25,
    "checkpoint": 5,
    "signer.key": 5,
    "verifier.key": 5,
    "tokens.json": 5,
}
_DEVICES = 60
REFUSED, TOLD, WRONG = "refused at start", "told at start", "verify: WRONG"
FSCK, SQLITE, UNREAD = "fsck", "integrity_check", "integrity_check, reads the same"
HARMLESS, SILENT, UNEXPLAINED = "harmless", "SILENT", "UNEXPLAINED"
NUMBERS = "a number, which fsck does not look at"
OUTCOMES = (REFUSED, TOLD, WRONG, FSCK, SQLITE, UNREAD, HARMLESS, NUMBERS, SILENT, UNEXPLAINED)


class Told(NamedTuple):
    """All that a directory says when it is read."""

    content: Content
    members: Members
    signed: int
    seed: bytes
    verifier: str
    tokens: list[tokens.Token]


class Campaign:
    """Flip `n` of a seed is always the same one."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._witness = _live(folder, seed)
        self._sound = [_files(folder / "killed"), _files(folder / "made")]
        self._right = [_read(self._put(files, "right"), self._witness) for files in self._sound]
        for files in self._sound:
            assert self._named(files) is None, self._named(files)
        self.table: Counter[tuple[str, str]] = Counter()
        self.wrong: list[str] = []

    def run(self, numbers: Iterable[int]) -> "Campaign":
        for number in numbers:
            dice = Random(f"{self._seed}:{number}")
            (file,) = dice.choices(list(FILES), FILES.values())
            ended = dice.random() < 0.5 and not file.endswith("-wal")
            data = bytearray(self._sound[ended][file])
            at = dice.randrange(len(data) * 8)
            data[at // 8] ^= 1 << at % 8
            files = {**self._sound[ended], file: bytes(data)}
            outcome, detail = self._outcome(files, self._right[ended])
            self.table[file, outcome] += 1
            if outcome in (SILENT, UNEXPLAINED):
                self.wrong.append(
                    f"SEED={self._seed} FLIP={number}: bit {at % 8} of byte {at // 8} of {file}:"
                    f" {outcome}: {detail}"
                )
        return self

    def _outcome(self, files: dict[str, bytes], right: Told) -> tuple[str, str]:
        try:
            directory = self._put(files, "start")
            try:
                with capture_logs() as logged:
                    told = _read(directory, self._witness)
            except (FatalError, GatewayError) as error:
                return REFUSED, str(error)
            if logged:
                return TOLD, str(logged)
            named = self._named(files)
        except Exception as error:
            return UNEXPLAINED, repr(error)
        if told == right:
            named = (UNREAD, "") if named and named[0] == SQLITE else named
            return named or (HARMLESS, "")
        what = difference(told, right)
        return named or (NUMBERS if what == "numbers" else SILENT, what)

    def _named(self, files: dict[str, bytes]) -> tuple[str, str] | None:
        try:
            (verdict,) = verdicts_of(str(self._put(files, "verify").path))
        except UnusableError as error:
            return WRONG, str(error)
        if not verdict.valid:
            return WRONG, str(verdict.reason)
        directory = self._put(files, "fsck")
        store, note, _ = directory.open_checked(directory.load_signer(ORIGIN))
        report = fsck.check(store, ORIGIN, note)
        store.close()
        if not report.valid:
            return FSCK, str(report.reason)
        for path in (directory.ledger, directory.keys):
            connection = apsw.Connection(str(path))
            try:
                found = connection.pragma("integrity_check")
            except apsw.Error as error:
                found = str(error)
            finally:
                connection.close()
            if found != "ok":
                return SQLITE, str(found)
        return None

    def _put(self, files: dict[str, bytes], name: str) -> Directory:
        place = self._folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for file, data in files.items():
            (place / file).write_bytes(data)
        return Directory(place)

    def report(self) -> str:
        """A row a file, a column an outcome."""
        lines = [f"SEED={self._seed}: {sum(self.table.values())} flips"]
        for file in FILES:
            counts = [f"{what} {self.table[file, what]}" for what in OUTCOMES]
            lines.append(f"  {file:<18}" + ", ".join(c for c in counts if not c.endswith(" 0")))
        return "\n".join(lines)


def difference(told: Told, right: Told) -> str:
    parts = [
        name
        for one, other in ((told.content, right.content), (told, right))
        for name in one._fields
        if name != "content" and getattr(one, name) != getattr(other, name)
    ]
    return ", ".join(parts)


def _read(directory: Directory, witness: Witness) -> Told:
    """A start of the gateway, and then everything by the ways that it reads."""
    known = tokens.load(directory.tokens)
    life = Life(directory, Witness(witness.clock))
    try:
        life.witness.numbers = witness.numbers
        return Told(
            life.content(),
            life.members(),
            life.signed_at_start,
            directory.load_signer(ORIGIN).seed,
            (directory.path / "verifier.key").read_text(errors="replace").strip(),
            list(known._tokens),
        )
    finally:
        life.close()


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _live(folder: Path, seed: int) -> Witness:
    """`killed` has its last life in the WAL, and the end of that not signed; `made` ended well."""
    made = Directory(folder / "made")
    create(made)
    secret = tokens.Token("first-read", tokens.digest_of("secret"), "read", 1 << 41)
    made.tokens.write_bytes(tokens.dump([secret]))
    witness = Witness(lambda: 0)
    Workload(made, witness, Random(seed)).run()
    life = Life(made, witness)
    device = FakeDevice("killed")
    life.enrol(device.name, device.secret)
    for n in range(_DEVICES):
        life.keys.add(f"board-in-stock-{n}", FakeDevice(f"{n}").secret)
    for start in range(0, 60, 20):
        life.commit([device.submission(n) for n in range(start, start + 20)], {CURSOR: b"17"})
        if start < 40:
            life.sign()
    shutil.copytree(made.path, folder / "killed", ignore=shutil.ignore_patterns("*-shm"))
    life.close()
    return witness
