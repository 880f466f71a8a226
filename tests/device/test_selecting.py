"""What the boot selector does in a start: which slot is on the path, and what a fault is to it."""

import sys
import time
import types

import pytest

from device import slots as selector
from tests.device.releases import release
from tests.device.selecting import FILES, new_board, on_trial, rot, started


@pytest.fixture
def root(tmp_path):
    return new_board(tmp_path)


class Front(types.ModuleType):
    """A slot's `device.main`; what it does is the test's."""

    def __init__(self, does):
        super().__init__("device.main")
        self.is_trial = False
        self.ran = []
        self._does = does

    def main(self, folder):
        self.ran.append((folder, self.is_trial))
        self._does()


@pytest.fixture
def run(root, monkeypatch):
    """Starts a board whose agent does `does`; its front door."""

    def run(does):
        import device

        front = Front(does)
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.setitem(sys.modules, "device.main", front)
        monkeypatch.setattr(device, "main", front, raising=False)
        try:
            selector.run(f"{root}/", f"{root}/data")
        finally:
            front.first = sys.path[0]
        return front

    return run


def test_the_chosen_slot_is_first_on_the_path_and_knows_that_it_is_on_trial(root, run):
    on_trial(root)

    front = run(lambda: None)

    assert front.first == f"{root}/b"
    assert front.ran == [(f"{root}/data", True)]
    assert selector.running.trial == "b"


def test_what_a_trial_raises_ends_it_at_once(root, run):
    on_trial(root)

    def fails():
        raise MemoryError("too large")

    with pytest.raises(SystemExit):  # where there is no board to reset
        run(fails)

    assert started(root).outcome == "1.1.0 rolled back: MemoryError('too large')"


def test_a_slot_with_a_rotten_file_is_not_started_where_the_other_is_whole(root, run):
    (root / "b").rmdir()
    release(root, FILES).rename(root / "b")
    rot(root / "a" / "device" / "main.mpy")

    front = run(lambda: None)

    assert front.first == f"{root}/b"
    assert front.ran == [(f"{root}/data", False)]
    assert started(root).outcome == "fell back: device/main.mpy"


class Reset(BaseException):
    """A board starts anew here."""


def test_a_board_whose_working_slot_cannot_be_loaded_starts_again_after_a_while(
    root, run, monkeypatch
):
    machine = types.ModuleType("machine")

    def reset():
        raise Reset

    def fails():
        raise OSError(5)

    machine.reset = reset
    monkeypatch.setitem(sys.modules, "machine", machine)
    pauses = []
    monkeypatch.setattr(time, "sleep_ms", pauses.append, raising=False)  # firmware has it

    with pytest.raises(Reset):
        run(fails)

    assert pauses == [60_000]
    assert not started(root).is_pending


def test_without_the_file_that_limits_it_no_trial_is_entered(root, run, monkeypatch):
    on_trial(root)
    monkeypatch.setattr(selector, "__name__", "slots")  # as on a board, which has lost that file

    front = run(lambda: None)

    assert front.first == f"{root}/a"
    assert front.ran == [(f"{root}/data", False)]


def test_what_a_working_slot_raises_ends_a_program_that_is_no_board(root, run):
    def fails():
        raise MemoryError("too large")

    with pytest.raises(MemoryError):
        run(fails)

    assert not started(root).is_pending


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(MemoryError("small"), "1.1.0 refused: not enough memory"), (ValueError("a bug"), "")],
)
def test_what_getting_an_update_raises_starts_the_board_again(
    root, run, monkeypatch, error, outcome
):
    import device

    started(root).want("1.1.0")
    front = types.ModuleType("device.update")

    def fails(folder, slots):
        raise error

    front.main = fails
    monkeypatch.setitem(sys.modules, "device.update", front)
    monkeypatch.setattr(device, "update", front, raising=False)

    with pytest.raises(SystemExit):
        run(lambda: None)

    slots = started(root)
    assert (slots.outcome, slots.attempts) == (outcome, 0 if outcome else 1)
