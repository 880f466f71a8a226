"""Our own column of `make compare`: every attack is caught, by whom it should be."""

from pathlib import Path

import pytest

from tests.compare.attacks import ATTACKS, CONTROL, PASSES, run
from tests.compare.tallystick import Tallystick

# attack -> who must notice; more may
NOTICED_BY = {
    "edit_record": {"verify"},
    "edit_and_recompute": {"verify", "start"},
    "edit_body": {"verify"},
    "edit_time": {"verify"},
    "delete_middle": {"verify"},
    "swap_two": {"verify"},
    "truncate": {"verify", "start"},
    "roll_back": {"holder", "collector"},
    "rewrite_with_key": {"holder", "collector"},
    "substitute": {"verify"},
    "split_view": {"holder", "collector"},
    "resurrect": {"verify"},
}


@pytest.mark.integration
@pytest.mark.slow
def test_a_ledger_that_nobody_attacked_passes(tmp_path: Path) -> None:
    cell = run(Tallystick, tmp_path / "site", CONTROL)

    assert cell.word == PASSES, cell


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - {CONTROL}))
def test_an_attack_is_caught_by_whom_it_should_be(tmp_path: Path, attack: str) -> None:
    cell = run(Tallystick, tmp_path / "site", attack)

    assert NOTICED_BY[attack] <= {answer.asked for answer in cell.answers if answer.caught}, cell
