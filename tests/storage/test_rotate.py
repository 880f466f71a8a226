"""A rotation whose power fails at any step: the next start, or the next try, ends it."""

from pathlib import Path
from random import Random

import pytest

from gateway import rotate
from gateway.directory import Directory
from tests.fakes import ORIGIN
from tests.gateway.ledger_files import make
from tests.gateway.rotated import SIZE, check_whole
from tests.storage import images
from tests.storage.images import KINDS, Image, Record, recorded
from tests.storage.powercuts import put

_SEEDS = [(0, 2), *(pytest.param(seed, 1, marks=pytest.mark.slow) for seed in range(4))]


@pytest.fixture(scope="module")
def rotation(tmp_path_factory) -> Record:
    """A rotation on a disk that is watched."""
    made = make(tmp_path_factory.mktemp("watched") / "garden", size=SIZE)
    with recorded(made.directory.path) as (shim, record):
        rotate.rotate(made.directory._replace(disk=shim.disk), ORIGIN)
    return record


@pytest.mark.parametrize(("seed", "every"), _SEEDS)
def test_the_power_fails_at_any_step_and_the_next_start_ends_it(
    rotation: Record, tmp_path: Path, seed: int, every: int
) -> None:
    """Or at each `every`-th."""
    ends = set()

    for at in range(0, len(rotation.steps) + 1, every):
        for kind in KINDS:
            found = images.image(images.cut(rotation, at), kind, Random(f"{seed}:{at}:{kind}"))
            directory = put(found, tmp_path / f"{at}-{kind}")
            end = rotate.settle(directory, ORIGIN)
            epochs = check_whole(directory).epochs
            assert len(epochs) == 2 or end != rotate.COMPLETED, (at, kind)
            ends.add((end, len(epochs)))

    assert ends == {(None, 1), (rotate.UNDONE, 1), (rotate.COMPLETED, 2), (None, 2)}


def test_whoever_tries_again_after_a_cut_gets_what_was_begun(
    rotation: Record, tmp_path: Path
) -> None:
    for at in range(len(rotation.steps) + 1):
        directory = put(_dropped(rotation, at), tmp_path / str(at))
        begun, epochs = directory.next_signer.exists(), _epochs(directory)

        done = rotate.rotate(directory, ORIGIN)

        assert done.resumed == (begun and epochs == 2), at
        assert _epochs(directory) == len(check_whole(directory).epochs)
        assert _epochs(directory) == (epochs if done.resumed else epochs + 1), at


def _dropped(record: Record, at: int) -> Image:
    return images.image(images.cut(record, at), "dropped", Random(at))


def _epochs(directory: Directory) -> int:
    keys = directory.read_keys()
    return len(keys.epochs) if keys else 1
