"""After a fault: how long a board waits before its next start, and that it is not bitten then."""

import pytest

from device import failing

WATCHDOG_MS = 8000


class Waiting:
    """A board that says when it slept and was fed; `bites` where it was not fed in time."""

    def __init__(self, *, has_watchdog=True, flash_fails=False):
        self.now_ms = 0  # since the reset
        self.bites = False
        self.interrupted_at_ms = None
        self._has_watchdog = has_watchdog
        self._flash_fails = flash_fails
        self._fed_ms = None

    def ticks_ms(self):
        return self.now_ms

    def sleep_ms(self, duration_ms):
        self.now_ms += duration_ms
        if self._fed_ms is not None and self.now_ms - self._fed_ms >= WATCHDOG_MS:
            self.bites = True
        if self.interrupted_at_ms is not None and self.now_ms >= self.interrupted_at_ms:
            raise KeyboardInterrupt

    def watchdog(self, timeout_ms):
        assert timeout_ms == WATCHDOG_MS
        return self._feed if self._has_watchdog else None

    def _feed(self):
        self._fed_ms = self.now_ms

    def sync(self, file):
        if self._flash_fails:
            raise OSError(5)
        file.flush()


def waited_ms(folder, *, lasted_ms=0, **kind):
    board = Waiting(**kind)
    board.now_ms = lasted_ms
    failing.pause(board, str(folder))
    assert not board.bites
    return board.now_ms - lasted_ms


def test_a_board_that_fails_at_every_start_waits_longer_each_time_and_is_fed(tmp_path):
    pauses_s = [waited_ms(tmp_path) / 1000 for _ in range(9)]

    assert pauses_s == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_after_a_start_that_lasted_the_pauses_begin_anew(tmp_path):
    for _ in range(4):
        waited_ms(tmp_path)

    assert waited_ms(tmp_path, lasted_ms=600_000) == 10_000
    assert waited_ms(tmp_path, lasted_ms=599_999) == 20_000


def test_a_board_without_a_watchdog_waits_as_long(tmp_path):
    assert waited_ms(tmp_path, has_watchdog=False) == 10_000


def test_a_flash_that_fails_costs_no_pause(tmp_path):
    assert waited_ms(tmp_path, flash_fails=True) == 10_000
    assert waited_ms(tmp_path / "not-there") == 10_000


def test_ctrl_c_ends_the_pause(tmp_path):
    board = Waiting()
    board.interrupted_at_ms = 4000

    with pytest.raises(KeyboardInterrupt):
        failing.pause(board, str(tmp_path))

    assert board.now_ms == 4000


@pytest.mark.parametrize("is_trial", [False, True])
def test_a_fault_of_a_program_or_on_trial_is_told_and_raised(is_trial, tmp_path):
    told = []
    fault = OSError(5, "the flash")

    def report(event, **fields):
        told.append((event, fields["reason"]))

    with pytest.raises(OSError, match="the flash"):
        failing.after(fault, str(tmp_path), report, is_trial=is_trial)

    assert told == [("failed", repr(fault))]
    assert list(tmp_path.iterdir()) == []
