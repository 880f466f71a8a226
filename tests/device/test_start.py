"""What a start does with a configuration it cannot read, and with one that is refused."""

import sys

import pytest

from device import config_file, main
from device.config import ConfigError


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
