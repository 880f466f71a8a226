"""A recovery that is stopped anywhere: the next start, or the next try, ends it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config as configs
from gateway import recover
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import RolledBackError
from tests.fakes import ORIGIN
from tests.gateway.ledger_files import Made, make
from tests.gateway.recovering import NEW, SIZE, check_whole, recovered
from tests.interrupting import interrupted

FILES = ("tallystick.toml", "signer.key", "verifier.key", "checkpoint", "ledger.sqlite")


@pytest.fixture
def behind(tmp_path: Path) -> Made:
    """Its end was cut off; what was signed is known from the file beside it."""
    made = make(tmp_path / "garden", size=SIZE)
    made.execute("DELETE FROM entries WHERE idx >= 20")
    return made


@pytest.fixture(params=[3, pytest.param(1, marks=pytest.mark.slow)])
def every(request: pytest.FixtureRequest) -> int:
    """A recovery is cut at each so many of its events."""
    return int(request.param)


def interrupted_anywhere(
    behind: Made, tmp_path: Path, every: int, end: Callable[[Made], None]
) -> int:
    """Cuts a recovery, each time later, and lets `end` see what is left; of how many events."""
    at = 0
    while True:
        folder = tmp_path / str(at)
        shutil.copytree(behind.directory.path, folder)
        twin = behind._replace(directory=Directory(folder))
        if not interrupted(folder, at, lambda twin=twin: recovered(twin)):
            return at
        end(twin)
        shutil.rmtree(folder)
        at += every


def test_whoever_starts_after_a_kill_finds_the_old_ledger_or_the_new_one(
    behind: Made, tmp_path: Path, every: int
) -> None:
    completed = []

    def start(twin: Made) -> None:
        completed.append(recover.settle(twin.directory))
        if configs.load(twin.directory.config, GatewayConfig).origin == NEW:
            check_whole(twin.directory)
            return
        assert [f for f in FILES if not (twin.directory.path / f).exists()] == []
        assert not list(twin.directory.path.glob("re*"))
        with pytest.raises(RolledBackError, match="20 entries, but its checkpoint of 30"):
            twin.directory.open_checked(twin.directory.load_signer(ORIGIN))

    cuts = interrupted_anywhere(behind, tmp_path, every, start)

    decided = completed.index(True)
    print(f"\n{len(completed)} cuts, {decided} of them before the decision")
    assert cuts > 50
    assert not any(completed[:decided])


def test_whoever_tries_again_after_a_kill_gets_the_new_ledger(
    behind: Made, tmp_path: Path, every: int
) -> None:
    said = (ORIGIN, behind.note, SIZE)

    def again(twin: Made) -> None:
        assert recovered(twin).recovery == check_whole(twin.directory) == said

    assert interrupted_anywhere(behind, tmp_path, every, again) > 50
