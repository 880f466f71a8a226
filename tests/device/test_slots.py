"""The boot selector's decisions, start after start, and what is left of them on flash."""

import sys
import types

import pytest

from device import slots as selector
from device.slots import FILE, Slots


@pytest.fixture
def root(tmp_path):
    for folder in ("a", "b", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "manifest").write_bytes(b"")
    return tmp_path


def started(root) -> Slots:
    """What the next start finds on flash."""
    return Slots(f"{root}/", f"{root}/data")


def on_trial(root, version="1.1.0", counter=5) -> None:
    slots = started(root)
    slots.want(version)
    slots.try_out(counter)


def test_a_new_board_starts_the_slot_that_is_whole(root):
    (root / "a" / "manifest").rename(root / "b" / "manifest")

    assert started(root).choose() == "b"


def test_without_any_whole_slot_it_starts_the_first(root):
    (root / "a" / "manifest").unlink()

    assert started(root).choose() == "a"


def test_a_trial_is_counted_before_it_is_entered_and_ends_after_two_starts(root):
    on_trial(root)

    chosen = [started(root).choose() for _ in range(4)]

    slots = started(root)
    assert chosen == ["b", "b", "a", "a"]
    assert (slots.active, slots.trial, slots.wanted) == ("a", "", "")
    assert slots.outcome == "1.1.0 rolled back: no receipt in 2 starts"


def test_what_is_confirmed_stays_and_sets_the_floor(root):
    on_trial(root, counter=5)
    slots = started(root)
    slots.choose()

    slots.confirm()

    slots = started(root)
    assert (slots.choose(), slots.other, slots.floor) == ("b", "a", 5)
    assert slots.outcome == "1.1.0 ok"
    slots.told()
    assert not started(root).is_pending


def test_a_roll_back_leaves_the_floor_as_it_was(root):
    on_trial(root, counter=5)
    started(root).confirm()
    on_trial(root, "1.2.0", counter=9)

    started(root).roll_back("of no use")

    slots = started(root)
    assert (slots.active, slots.floor, slots.outcome) == ("b", 5, "1.2.0 rolled back: of no use")


def test_what_is_told_is_short_and_plain(root):
    on_trial(root)

    started(root).roll_back("é\n" + "x" * 100)

    assert started(root).outcome == ("1.1.0 rolled back:   " + "x" * 100)[:64]


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_state_is_as_that_of_a_new_board(root, damage):
    on_trial(root)
    file = root / "data" / FILE
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)

    slots = started(root)

    assert (slots.active, slots.trial, slots.floor) == ("a", "", 0)


def test_a_replacement_that_was_not_renamed_is_used(root):
    on_trial(root)
    (root / "data" / FILE).rename(root / "data" / f"{FILE}.tmp")

    assert started(root).trial == "b"


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


def test_what_a_working_slot_raises_is_no_business_of_the_selectors(root, run):
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
