"""A campaign of power cuts: lives are recorded, cut at every step, and judged."""

import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

from structlog.testing import capture_logs

from gateway.directory import Directory
from tests.storage import images
from tests.storage.images import KINDS, ForgetfulRecord, Image, Record, recorded
from tests.storage.lives import Witness, small_wal
from tests.storage.oracle import Memory, judge, memory
from tests.storage.workload import Workload, create

_A_LIFE = 1500  # images of one life: at least one for each of its steps
_STRIDE = 617  # prime to _A_LIFE: a few images are spread over a whole life
_AGAIN = 8  # every so manieth power cut is followed by another one
_OUTSIDE = 9  # every so manieth image is shown to the outside verifier
_WAL_PAGES = 24  # a WAL so small that it is brought into the database all the time


class Lived(NamedTuple):
    record: Record
    witness: Witness


class Campaign:
    """Image `n` of a seed is always the same one. `live` makes a recorded life of a seed."""

    def __init__(self, folder: Path, seed: int, live: Callable[[Path, str], Lived]) -> None:
        self._folder = folder
        self._seed = seed
        self._live = live
        self._lives: dict[int, Lived] = {}
        self._started = time.monotonic()
        self._cuts: set[tuple[int, int]] = set()
        self._different: set[bytes] = set()
        self._counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def run(self, numbers: Iterable[int]) -> "Campaign":
        for number in numbers:
            self._try(number)
        return self

    def report(self) -> str:
        count = sum(self._counts[kind] for kind in KINDS)
        steps = sum(len(lived.record.steps) + 1 for lived in self._lives.values())
        seconds = time.monotonic() - self._started
        return (
            f"SEED={self._seed}: {count} images, {len(self._different)} of them different,"
            f" of {len(self._cuts)} of the {steps} moments of {len(self._lives)} lives;"
            f" {count / seconds:.0f} images/s\n"
            f"  {dict(self._counts)}; wrong {len(self.wrong)}"
        )

    def _try(self, number: int) -> None:
        life, slot = divmod(number, _A_LIFE)
        record, witness = self._life(life)
        at = slot * _STRIDE % _A_LIFE * (len(record.steps) + 1) // _A_LIFE
        kind = KINDS[(number + life) % len(KINDS)]
        dice = Random(f"{self._seed}:{number}")
        image = images.image(images.cut(record, at), kind, dice)
        self._count(life, at, kind, image)
        place = self._folder / f"image-{number}"
        try:
            with capture_logs() as told:
                self._judge(image, place, memory(witness, at), number, dice)
            self._counts["told of a transaction cut off"] += bool(told)
            assert not any("it is damaged" in str(one) for one in told), told
        except Exception as error:
            step = record.steps[at - 1] if at else "none"
            self.wrong.append(
                f"SEED={self._seed} IMAGE={number}: {kind}, cut after step {at} of life {life},"
                f" {step}: {error!r}"
            )
        finally:
            shutil.rmtree(place)

    def _judge(self, image: Image, place: Path, known: Memory, number: int, dice: Random) -> None:
        if number % _AGAIN:
            outside = not number % _OUTSIDE
            self._counts["shown to verify"] += outside
            judge(put(image, place / "one"), known, Witness(_never), outside=outside)
            return
        self._counts["cut again"] += 1
        directory = put(image, place / "one")
        with recorded(directory.path) as (shim, record), small_wal(dice.choice((4, _WAL_PAGES))):
            witness = Witness(lambda: len(record.steps))
            judge(directory._replace(disk=shim.disk), known, witness, outside=False)
        at = dice.randint(0, len(record.steps))
        image = images.image(images.cut(record, at), dice.choice(KINDS), dice)
        judge(put(image, place / "two"), memory(witness, at), Witness(_never), outside=False)

    def _life(self, life: int) -> Lived:
        if life not in self._lives:
            lived = self._live(self._folder / f"life-{life}", f"{self._seed}:{life}")
            assert len(lived.record.steps) < _A_LIFE
            self._lives[life] = lived
        return self._lives[life]

    def _count(self, life: int, at: int, kind: str, image: Image) -> None:
        self._counts[kind] += 1
        self._cuts.add((life, at))
        self._different.add(hashlib.sha256(repr(sorted(image.items())).encode()).digest())


def live_well(path: Path, seed: str) -> Lived:
    """One life on a disk that is watched."""
    create(Directory(path))
    with recorded(path) as (shim, record), small_wal(_WAL_PAGES):
        witness = Witness(lambda: len(record.steps))
        Workload(Directory(path, shim.disk), witness, Random(seed)).run()
    return Lived(record, witness)


def live_on_a_forgetful_disk(path: Path, seed: str) -> Lived:
    """One on a disk that also fails some of the syncs, and drops what they were to write."""
    create(Directory(path))
    record = ForgetfulRecord(Random(f"{seed}:forgets"))

    def fails(begins: bool) -> None:
        record.failing = begins

    with recorded(path, record) as (shim, _), small_wal(_WAL_PAGES):
        witness = Witness(lambda: len(record.steps))
        Workload(Directory(path, shim.disk), witness, Random(seed), fails).run()
    assert record.failures
    return Lived(record, witness)


def put(image: Image, place: Path) -> Directory:
    place.mkdir(parents=True)
    for name, data in image.items():
        (place / name).write_bytes(data)
    return Directory(place)


def _never() -> int:
    return 0
