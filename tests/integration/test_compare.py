"""Our own column of `make compare`: every attack of it is caught."""

from pathlib import Path

import pytest

from tests.compare.attacks import ATTACKS, CONTROL, PASSES, run
from tests.compare.systems import CANNOT_BE_ASKED, CAUGHT_BY
from tests.compare.tallystick import Tallystick

NOT_YET = {"resurrect"}  # there is nothing to bring back: no command deletes a body


@pytest.mark.integration
@pytest.mark.slow
def test_a_ledger_that_nobody_attacked_passes(tmp_path: Path) -> None:
    cell = run(Tallystick, tmp_path / "site", CONTROL)

    assert cell.word == PASSES, cell


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - {CONTROL} - NOT_YET))
def test_an_attack_is_caught(tmp_path: Path, attack: str) -> None:
    cell = run(Tallystick, tmp_path / "site", attack)

    assert cell.word in CAUGHT_BY.values(), cell


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("attack", sorted(NOT_YET))
def test_what_cannot_be_attacked_says_so(tmp_path: Path, attack: str) -> None:
    cell = run(Tallystick, tmp_path / "site", attack)

    assert cell.word == CANNOT_BE_ASKED, cell
