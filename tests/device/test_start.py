"""What a start does with a configuration it cannot read, and with one that is refused."""

import sys

import pytest

from device import config_file, main, start
from device.config import ConfigError


class Resetting:
    """A board that counts its resets, and how long it waited before them."""

    name = "fake"

    def __init__(self):
        self.waited_ms = []
        self.resets = 0

    async def sleep_ms(self, duration_ms):
        self.waited_ms.append(duration_ms)

    def reset(self):
        self.resets += 1

    def sync(self, file):
        file.flush()


def test_only_a_file_that_is_not_there_is_no_configuration(tmp_path):
    (tmp_path / "config.json").mkdir()  # opening it fails, and not as what is missing does

    with pytest.raises(OSError, match="directory"):
        config_file.load(str(tmp_path / "config.json"))
    with pytest.raises(ConfigError, match="tallystick device add"):
        config_file.load(str(tmp_path / "other.json"))


def test_a_device_whose_profile_cannot_be_read_starts_as_no_other(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "config.json").mkdir()

    with pytest.raises(OSError, match="directory"):
        main.main(str(tmp_path))

    assert '"event": "failed"' in capsys.readouterr().out


def test_a_board_is_started_again_after_a_fault_and_waits_longer_each_time(tmp_path):
    board = Resetting()

    for _ in range(3):
        start.fail(board, str(tmp_path), OSError(5), 0, is_trial=False)

    assert board.resets == 3
    assert board.waited_ms == [10_000, 20_000, 40_000]


def test_a_fault_on_trial_is_for_the_selector_to_see(tmp_path):
    board = Resetting()

    with pytest.raises(OSError, match="5"):
        start.fail(board, str(tmp_path), OSError(5), 0, is_trial=True)

    assert board.resets == 0
