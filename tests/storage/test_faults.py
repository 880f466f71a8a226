"""The n-th step on the disk fails, before and after it was done: here some n, in campaigns all."""

import functools
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import apsw
import pytest

from gateway import rotate as rotations
from gateway.directory import Directory
from gateway.errors import FatalError, GatewayError
from gateway.store.keys import KeyStore
from tests.fakes import ORIGIN
from tests.storage.faults import FAULTS, Fault, FaultyDisk
from tests.storage.lives import Life, Witness
from tests.storage.oracle import judge_going_on
from tests.storage.shim import Link, Rename, Unlink, watched
from tests.storage.trials import KINDS, Trials
from tests.storage.workload import create
from tools.verify import verdicts_of

SEED = int(os.environ.get("SEED", "1"))
_FEW = 3  # steps of a kind
_LONG = ("node row at 256", "space given back")
_SHORT = [kind for kind in KINDS if kind not in _LONG]
_ON_CONTENT = {  # of those on names alone, these meet none
    name: fault for name, fault in FAULTS.items() if not {*fault.steps} <= {Link, Rename, Unlink}
}


@pytest.fixture(scope="module")
def trials_of(shared_path: Path) -> Callable[[str], Trials]:
    """Those of a kind, made once."""
    return functools.cache(lambda kind: Trials(shared_path / kind, KINDS[kind]))


def tried(kinds: Iterable[str], trial: Callable[[str], int]) -> None:
    """Every kind; stops at the first that is not as it must be, and names it."""
    counts = {}
    for kind in kinds:
        try:
            counts[kind] = trial(kind)
        except Exception as error:
            error.add_note(f"in {kind!r}, SEED={SEED}")
            raise

    print(f"\n{sum(counts.values())} trials: {counts}")
    assert sum(counts.values()) > 0


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_survived(trials_of, fault: Fault) -> None:
    """At the first step, the last, and some between: another SEED takes others."""
    dice = Random(f"{SEED}:{fault}")
    tried(_SHORT, lambda kind: trials_of(kind).some(fault, _FEW, dice))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_at_any_step_is_told_and_survived(trials_of, fault: Fault) -> None:
    tried(_SHORT, lambda kind: trials_of(kind).all(fault, lasting=False))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_lasts_is_told_and_survived(trials_of, fault: Fault) -> None:
    """Two submitters hear of it; then the disk is well again."""
    tried(KINDS, lambda kind: trials_of(kind).all(fault, lasting=True))


@pytest.mark.slow
@pytest.mark.parametrize("fault", _ON_CONTENT.values(), ids=_ON_CONTENT)
def test_a_fault_is_survived_where_much_is_written(trials_of, fault: Fault) -> None:
    tried(_LONG, lambda kind: trials_of(kind).all(fault, lasting=False))


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_rotation_that_failed_is_ended_by_the_next_start(
    tmp_path: Path, fault: Fault, every: int
) -> None:
    """At the first step, and at each `every`-th after it."""
    create(Directory(tmp_path / "made"))
    Life(Directory(tmp_path / "made"), Witness(lambda: 0)).close()
    failed, nth = True, 1 - every
    while failed:
        nth += every
        place = tmp_path / str(nth)
        shutil.copytree(tmp_path / "made", place)

        failed, new = rotated(place, fault, nth)

        life = Life(Directory(place), Witness(lambda: 0))
        if new:
            assert life.signer.verifier_text == new
        judge_going_on(life)
        life.close()
        (verdict,) = verdicts_of(str(place))
        assert verdict.valid, verdict.reason

    print(f"\nat most {nth - 1} steps of a rotation failed, one after the other")


def rotated(place: Path, fault: Fault, nth: int) -> tuple[bool, str | None]:
    """Whether the disk failed, and the new key where the command named one."""
    disk = FaultyDisk()
    with watched(place, disk) as shim:
        disk.arm(fault, nth, lasting=False)
        try:
            new = rotations.rotate(Directory(place, shim.disk), ORIGIN).new
            return bool(disk.failed), new
        except (GatewayError, FatalError, apsw.Error):  # apsw's own: only closing tells these
            return True, None
        finally:
            disk.heal()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_keys_are_rolled_back_by_a_start_after_one_that_failed(
    tmp_path: Path, fault: Fault
) -> None:
    """An enrolment that a power cut stopped has to be undone, and the disk fails at that."""
    hot = half_enrolled(tmp_path)
    failed = True
    for nth in range(1, 100):
        shutil.copytree(hot, tmp_path / f"{nth}")
        disk = FaultyDisk()
        with watched(tmp_path / f"{nth}", disk):
            disk.arm(fault, nth, lasting=False)
            names(tmp_path / f"{nth}")
            failed = bool(disk.failed)
            disk.heal()
            again = names(tmp_path / f"{nth}")

        assert again == ["before"]
        if not failed:
            break

    assert not failed


def half_enrolled(tmp_path: Path) -> Path:
    """keys.sqlite with a journal to play back."""
    create(Directory(tmp_path / "made"))
    keys = KeyStore(Directory(tmp_path / "made").keys)
    keys.add("before", bytes(32))
    keys.close()
    disk = FaultyDisk()
    with watched(tmp_path / "made", disk):
        keys = KeyStore(Directory(tmp_path / "made").keys)
        disk.arm(FAULTS["name failed"], 1, lasting=True)
        with pytest.raises(GatewayError):
            keys.add("never", bytes(32))
        shutil.copytree(tmp_path / "made", tmp_path / "hot")
        disk.heal()
        keys.close()
    return tmp_path / "hot"


def names(folder: Path) -> list[str] | None:
    """The devices there; None where the store says that it failed."""
    keys = None
    try:
        keys = KeyStore(Directory(folder).keys)
        return [device.name for device in keys.devices()]
    except GatewayError:
        return None
    finally:
        if keys is not None:
            keys.close()
