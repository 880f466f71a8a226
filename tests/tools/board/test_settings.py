"""What the command line says of a device's config.json."""

import re
from contextlib import redirect_stdout
from io import StringIO

import pytest

from gateway.errors import ConfigError
from tools.board import settings
from tools.init import init_gateway


@pytest.fixture
def garden(tmp_path):
    with redirect_stdout(StringIO()):
        init_gateway(tmp_path / "garden", "example.org/garden", "", None)
    return tmp_path / "garden"


def bind(garden, host: str) -> None:
    config = garden / "tallystick.toml"
    config.write_text(re.sub(r'(\[coap\]\s*host = )"[^"]*"', rf'\1"{host}"', config.read_text()))


def test_a_board_sends_where_it_is_told_or_where_the_gateway_listens(garden):
    bind(garden, "192.168.1.10")

    assert settings.gateway_for(garden, "") == "192.168.1.10:5683"
    assert settings.gateway_for(garden, "10.0.0.2:5684") == "10.0.0.2:5684"
    with pytest.raises(ConfigError, match="no HOST:PORT"):
        settings.gateway_for(garden, "10.0.0.2")


def test_a_gateway_that_a_board_elsewhere_cannot_reach_is_warned_about(garden):
    assert "is the board itself" in settings.unreachable(garden, "127.0.0.1:5683")
    assert "--coap 0.0.0.0:5683" in settings.unreachable(garden, "192.168.1.10:5683")

    bind(garden, "192.168.1.10")

    assert settings.unreachable(garden, "192.168.1.10:5683") == ""


def test_the_password_of_the_network_comes_from_a_file(tmp_path):
    (tmp_path / "wifi").write_text("hidden words\n")

    assert settings.wifi("shed", tmp_path / "wifi") == {
        "wifi": {"ssid": "shed", "password": "hidden words"}
    }
    assert settings.wifi("", None) == {}
    with pytest.raises(ConfigError, match="without a network"):
        settings.wifi("", tmp_path / "wifi")


def test_sensors_are_drivers_with_their_keys():
    assert settings.sensors([]) == {}
    assert settings.sensors(["board-temperature", "bme280,sda=4,scl=5,name=air"]) == {
        "sensors": [
            {"driver": "board-temperature"},
            {"driver": "bme280", "name": "air", "sda": 4, "scl": 5},
        ]
    }
    with pytest.raises(ConfigError, match="--sensor bme280,sda"):
        settings.sensors(["bme280,sda"])


def test_what_the_board_would_refuse_is_refused_here():
    config = {"name": "shed", "secret": "00" * 32, "gateway": "10.0.0.2:5683"}

    assert settings.checked(config) == config

    with pytest.raises(ConfigError, match="'nose'"):
        settings.checked(config | {"sensors": [{"driver": "nose"}]})


def test_a_small_device_is_told_what_others_know_by_themselves():
    config = {"name": "shed", "secret": "00" * 32, "gateway": "10.0.0.2:5683", "small": True}
    config |= {"sensors": [{"driver": "sht31", "name": "air", "sda": 4, "scl": 5}]}

    sensors = settings.checked(config)["sensors"]

    air = {"driver": "sht31", "name": "air", "every_ms": 10_000, "sda": 4, "scl": 5}
    assert sensors == [air | {"bus": 0, "address": 68}]
    with pytest.raises(ConfigError, match="--small with --profile sig"):
        settings.small("sig")
