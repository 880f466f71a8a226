"""The attacks, a row each, and the running of them. Runs on any Python 3.11: stdlib only."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.compare.systems import (
    CANNOT_BE_ASKED,
    CAUGHT_BY,
    HOLDERS,
    NOT_CAUGHT,
    Answer,
    Attacked,
    CannotBeAskedError,
)

FIRST, MORE = 300, 100  # events before and after the attacker took a copy
CONTROL = "do_nothing"
PASSES = "passes"

# method of System -> what is done, for people
ATTACKS = {
    CONTROL: "nothing (the control)",
    "edit_record": "edit one record",
    "edit_and_recompute": "edit one record, recompute all that needs no secret",
    "edit_body": "edit a stored body only",
    "edit_time": "edit the time of one record",
    "delete_middle": "delete one in the middle",
    "swap_two": "reorder two",
    "truncate": "cut off the tail",
    "roll_back": "put an older copy of everything back",
    "rewrite_with_key": "rewrite everything with the host's own key",
    "substitute": "put another ledger's files in their place",
    "resurrect": "bring a deleted body back",
    "split_view": "show two histories to two readers",
}


@dataclass(frozen=True)
class Cell:
    """What became of one attack on one system; `note` explains where the word does not."""

    word: str
    note: str
    answers: list[Answer]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"answers": [answer._asdict() for answer in self.answers]}


def run_all(make: Callable[[Path], Attacked], folder: Path) -> dict[str, Cell]:
    """Every attack, each on a system of its own under `folder`."""
    return {attack: run(make, folder / attack, attack) for attack in ATTACKS}


def run(make: Callable[[Path], Attacked], folder: Path, attack: str) -> Cell:
    folder.mkdir(parents=True)
    system = make(folder)
    try:
        system.fill(FIRST)
        system.remember()
        system.fill(MORE)
        remark = getattr(system, attack)() or ""
        answers = system.ask()
    except CannotBeAskedError as error:
        return Cell(CANNOT_BE_ASKED, str(error), [])
    finally:
        system.close()
    word = _word(answers)
    if attack == CONTROL:
        word = PASSES if word == NOT_CAUGHT else f"FALSE ALARM, {word}"
    if word == CAUGHT_BY["holder"]:
        remark = "; and ".join(
            HOLDERS[answer.asked] for answer in answers if answer.caught and answer.asked in HOLDERS
        )
    return Cell(word, remark, answers)


def _word(answers: list[Answer]) -> str:
    caught = {answer.asked for answer in answers if answer.caught}
    return next((CAUGHT_BY[asked] for asked in CAUGHT_BY if asked in caught), NOT_CAUGHT)
