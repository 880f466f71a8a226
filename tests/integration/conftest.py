"""Every integration test gets a site of its own, and ends with fsck of every ledger in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.child import Make
from tests.board.virtual import VirtualBoard
from tests.integration import flashing
from tests.integration.harness import Site


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Mark a test `damages_ledgers` where the ledgers are meant to be wrong afterwards."""
    site = Site(tmp_path)
    yield from _until_stopped(site, request)


@pytest.fixture(scope="session")
def flashed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Path]:
    """A site, and the flash of the board that was made its device cellar-1: to be copied."""
    folder = tmp_path_factory.mktemp("flashed")
    site = Site(folder)
    try:
        site.start_gateway()
        with VirtualBoard(folder / "board") as board:
            run = flashing.add(site, board, "cellar-1", *flashing.OPTIONS)
            assert run.returncode == 0, run.stderr
            return site, board.image
    finally:
        site.stop()


@pytest.fixture
def flashed_site(
    flashed: tuple[Site, Path], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Site]:
    """In the place of `site`, where a test begins with a device; it is not started yet."""
    site = flashed[0].copied(tmp_path)
    yield from _until_stopped(site, request)


@pytest.fixture
def make() -> Make:
    """What board `cellar` is; whoever wants another one parametrizes it."""
    return Make()


@pytest.fixture
def cellar(
    flashed: tuple[Site, Path], flashed_site: Site, tmp_path: Path, make: Make
) -> Iterator[VirtualBoard]:
    """The device cellar-1 of `flashed_site`, which is started."""
    (tmp_path / "board").mkdir()
    shutil.copy(flashed[1], tmp_path / "board")
    flashed_site.start_gateway()
    with VirtualBoard(tmp_path / "board", make) as board:
        yield board


def _until_stopped(site: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    try:
        yield site
    finally:
        site.stop()
    if "damages_ledgers" in request.keywords:
        return
    wrong = [verdict for verdict in site.verdicts() if not verdict.valid]
    assert wrong == [], site.logs()
