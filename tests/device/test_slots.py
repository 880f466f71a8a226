"""The boot selector's decisions, start after start, and what is left of them on flash."""

import sys
import time
import types
import zlib

import pytest

from device import slots as selector
from device.slots import FILE, Slots
from tests.device.releases import release

COPY = f"{FILE}.2"
FILES = {"device/main.mpy": b"main", "protocol/coap.mpy": b"coap"}


@pytest.fixture
def root(tmp_path):
    release(tmp_path, FILES, version="1.0.0", counter=1).rename(tmp_path / "a")
    for folder in ("b", "data"):
        (tmp_path / folder).mkdir()
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


def rot(file, damage=None) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)


DAMAGES = [b"", b"nonsense", bytes(4), None]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [FILE, COPY])
def test_one_rotten_state_lowers_no_floor_and_is_made_anew_from_the_other(root, name, damage):
    on_trial(root, counter=5)
    started(root).confirm()
    whole = (root / "data" / name).read_bytes()
    rot(root / "data" / name, damage)

    slots = started(root)

    assert (slots.active, slots.floor, slots.outcome) == ("b", 5, "1.1.0 ok")
    assert (root / "data" / name).read_bytes() == whole


@pytest.mark.parametrize("damage", DAMAGES)
def test_with_both_states_rotten_it_is_as_a_new_board(root, damage):
    on_trial(root)
    rot(root / "data" / FILE, damage)
    rot(root / "data" / COPY, damage)

    slots = started(root)

    assert (slots.active, slots.trial, slots.floor) == ("a", "", 0)


def test_the_state_of_an_earlier_selector_is_understood(root):
    data = b"b\na\n1.1.0\n\n1\n0\n4\n5"
    (root / "data" / FILE).write_bytes(data + zlib.crc32(data).to_bytes(4, "big"))

    slots = started(root)

    assert (slots.active, slots.trial, slots.wanted) == ("b", "a", "1.1.0")
    assert (slots.starts, slots.floor, slots.counter) == (1, 4, 5)
    assert (slots.wakes, slots.bad) == (0, "")


def test_a_start_that_cannot_be_counted_enters_no_trial_and_gets_no_update(root):
    on_trial(root)
    slots = started(root)
    for name in (FILE, COPY):  # a flash that takes nothing any more
        (root / "data" / name).unlink()
        (root / "data" / name).mkdir()

    assert slots.choose() == "a"
    assert not slots.begins()
    slots.roll_back("of no use")


def test_a_trial_that_says_it_only_sleeps_has_an_end_all_the_same(root):
    on_trial(root)
    starts = 0

    while started(root).choose() == "b":
        slots = started(root)
        slots.starts -= 1  # as `device.sleeping` excuses a wake
        slots.save()
        starts += 1

    assert starts == 100
    assert started(root).outcome == "1.1.0 rolled back: no receipt in 100 starts"


def test_what_was_rolled_back_is_whole_no_more(root):
    release(root, FILES).rename(root / "b" / "new")
    (root / "b" / "new" / "manifest").rename(root / "b" / "manifest")
    on_trial(root)

    started(root).roll_back("of no use")

    assert not started(root).is_whole("b")


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
    monkeypatch.setattr(time, "sleep", pauses.append)

    with pytest.raises(Reset):
        run(fails)

    assert pauses == [60]
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
