"""Everything that a gateway writes, tried on a disk whose n-th step fails.

After each: what the submitter heard, whether the open store goes on once the disk is well, and
whether a copy made at the moment of the failure opens by itself.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from gateway.directory import Directory
from gateway.errors import ConfigError, GatewayError
from gateway.ledger.batch import PACK, Kept, Number, Submission
from tests.gateway.ledger.test_failures import DEVICE, TRANSACTIONS, packs
from tests.storage.faults import Fault, FaultyDisk
from tests.storage.lives import CURSOR, Life, Members, Witness, shape, small_wal
from tests.storage.oracle import judge_database, judge_going_on
from tests.storage.shim import Step, watched
from tests.storage.workload import create

Heard = list[object] | GatewayError
_WAL_PAGES = 4  # so small that a transaction also brings the WAL into the database
_ENROLLED = "board"
_THERE_ALREADY = "there already"


class Kind(NamedTuple):
    """`attempt` returns what its submitter heard; it may be made again."""

    before: int  # entries there before, the first half of them signed
    attempt: Callable[[Life], list[object]]
    prepare: Callable[[Life], object] = lambda life: None


class Held(NamedTuple):
    """What is there of what was tried, whatever its salts and times."""

    packs: list[bytes | None]
    numbers: dict[Number, int]
    cursor: bytes | None
    members: Members


def transaction(before: int, submissions: list[Submission], states: dict[str, bytes]) -> Kind:
    return Kind(before, lambda life: [shape(one) for one in life.commit(submissions, states)])


def checkpoint(life: Life) -> list[object]:
    """Nobody waits for one: a failure is counted, and the next one is due at once."""
    life.sign()
    failures = life.metrics.registry.get_sample_value("tallystick_checkpoint_failures_total")
    signed = life.writer.signed_size == life.writer.size
    assert signed or failures
    return ["signed" if signed else "not signed"]


def enrol(life: Life) -> list[object]:
    return _changed(lambda: life.keys.add("new", bytes(32)))


def revoke(life: Life) -> list[object]:
    return _changed(lambda: life.keys.revoke(_ENROLLED))


def prune(life: Life) -> list[object]:
    """Bodies go and their entry comes: both or neither."""
    return ["done" if life.prune(1, 4) else _THERE_ALREADY]


def give_back(life: Life) -> list[object]:
    """Free pages go back to the disk, and the log is emptied; nothing is told or lost by it."""
    life.store.release(100)
    assert life.store.empty_log()
    return []


def _changed(change: Callable[[], None]) -> list[object]:
    try:
        change()
    except ConfigError:
        return [_THERE_ALREADY]
    return ["done"]


KINDS = {name: transaction(*row) for name, row in TRANSACTIONS.items()} | {
    "checkpoint": Kind(5, checkpoint),
    "enrolment": Kind(1, enrol),
    "revocation": Kind(1, revoke),
    "prune": Kind(5, prune),
    "space given back": Kind(60, give_back, lambda life: life.prune(0, 60)),
}


class Noted:
    """A tap that lets every step be done, and knows which there were."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def before(self, step: Step) -> None:
        self.steps.append(step)

    def after(self, step: Step) -> None:
        pass


class Trials:
    """One kind's: `twin` never failed, and shows what is right."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        self._folder = folder
        self._kind = kind
        self._template = _make(folder / "template", kind)
        self._tried = 0
        shutil.copytree(self._template, folder / "twin")
        noted = Noted()
        with watched(folder / "twin", noted) as shim, small_wal(_WAL_PAGES):
            twin = self._open(Directory(folder / "twin", shim.disk))
            self._before = held(twin)
            noted.steps.clear()
            self._first = kind.attempt(twin)
            self._steps = list(noted.steps)
            self._after = held(twin)
            twin.close()

    def all(self, fault: Fault, *, lasting: bool) -> int:
        """Every n, until there is no n-th step; how many there were."""
        nth = 0
        while self._told_of(fault, nth + 1, lasting=lasting):
            nth += 1
        return nth

    def some(self, fault: Fault, most: int, dice: Random) -> int:
        """The first step, the last one and others, `most` of them; how many were tried."""
        count = sum(isinstance(step, fault.steps) for step in self._steps)
        inner = range(2, count)
        chosen = {1, count, *dice.sample(inner, min(most - 2, len(inner)))} if count else set()
        for nth in sorted(chosen):
            assert self._told_of(fault, nth, lasting=False), f"there is no step {nth}"
        return len(chosen)

    def _told_of(self, fault: Fault, nth: int, *, lasting: bool) -> bool:
        try:
            return self._one(fault, nth, lasting=lasting)
        except Exception as error:
            error.add_note(f"where step {nth} failed")
            raise

    def _one(self, fault: Fault, nth: int, *, lasting: bool) -> bool:
        """False where the n-th step did not come. AssertionError where something is wrong."""
        self._tried += 1
        place = self._folder / str(self._tried)
        shutil.copytree(self._template, place / "open")
        disk = FaultyDisk()
        with watched(place / "open", disk) as shim, small_wal(_WAL_PAGES):
            life = self._open(Directory(place / "open", shim.disk))
            try:
                disk.arm(fault, nth, lasting=lasting)
                heard = [self._heard(life) for _ in range(1 + lasting)]
                shutil.copytree(place / "open", place / "killed", ignore=_shared_memory)
            finally:
                disk.heal()
                if disk.failed:
                    self._judge_open(life, fault, heard)
                life.close()
        if disk.failed:
            self._judge_anew(Directory(place / "killed"), heard[-1])
            self._judge_anew(Directory(place / "open"), self._first)
        shutil.rmtree(place)
        return bool(disk.failed)

    def _open(self, directory: Directory) -> Life:
        witness = Witness(lambda: 0)
        witness.numbers = {Number(DEVICE.kid, 1, n) for n in range(self._kind.before + 20)}
        return Life(directory, witness)

    def _heard(self, life: Life) -> Heard:
        try:
            return self._kind.attempt(life)
        except GatewayError as error:
            return error

    def _judge_open(self, life: Life, fault: Fault, heard: list[Heard]) -> None:
        """The open store goes on by itself, with all that was answered."""
        for one in heard:
            if isinstance(one, GatewayError):
                assert one.reason == fault.reason, one
        self._judge_held(life, heard[-1])
        judge_going_on(life)

    def _judge_anew(self, directory: Directory, heard: Heard) -> None:
        """So does one that is opened anew, without a hand."""
        life = self._open(directory)
        self._judge_held(life, heard)
        judge_going_on(life)
        life.close()
        judge_database(directory.ledger)
        judge_database(directory.keys)

    def _judge_held(self, life: Life, heard: Heard) -> None:
        found = held(life)
        told = isinstance(heard, GatewayError)
        assert found == self._after or (told and found == self._before), f"heard {heard!r}: {found}"
        answers = self._kind.attempt(life)
        assert answers == (again(self._first) if found == self._after else self._first)
        assert held(life) == self._after


def held(life: Life) -> Held:
    content = life.content()
    return Held(
        [one.body for one in content.entries if (one.kind, one.source) == (PACK, DEVICE.name)],
        content.numbers,
        content.states[CURSOR],
        life.members(),
    )


def again(answers: list[object]) -> list[object]:
    """What those hear who ask for the same once more."""
    repeats = {"done": _THERE_ALREADY}
    return [
        Kept(one.index, repeat=True) if isinstance(one, Kept) else repeats.get(one, one)
        for one in answers
    ]


def _make(path: Path, kind: Kind) -> Path:
    """Closed by a power cut, in a way: its WAL is still there."""
    made = path.with_name("made")
    create(Directory(made))
    with small_wal(_WAL_PAGES):
        life = Life(Directory(made), Witness(lambda: 0))
        life.keys.add(_ENROLLED, bytes(32))
        for start, stop in ((0, kind.before // 2), (kind.before // 2, kind.before)):
            life.sign()
            life.commit(packs(start, stop))
        kind.prepare(life)
        shutil.copytree(made, path, ignore=_shared_memory)
        life.close()
    return path


def _shared_memory(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith("-shm")]
