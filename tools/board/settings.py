"""What the command line says of a device's config.json: where to send, Wi-Fi, sensors."""

import socket
from pathlib import Path

import typer

from device import config_file
from device.config import ConfigError as DeviceError
from gateway.errors import ConfigError
from protocol.enrolment import MAC
from tools.addresses import address
from tools.enrolling import coap_address

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104  # looked for, not bound to
_EXAMPLE_PEER = ("192.0.2.1", 9)  # RFC 5737; nothing is sent to it
_STAND_IN = "00" * 32


def gateway_for(dir_: Path, given: str) -> str:
    """HOST:PORT to send to: as `given`, else as the gateway in `dir_` listens."""
    if given:
        address(given)
        return given
    configured = coap_address(dir_)
    host, port = address(configured)
    return f"{_own_address()}:{port}" if host in _ANYWHERE else configured


def unreachable(dir_: Path, gateway: str) -> str:
    """Why a board that is not on this machine may not reach the gateway; "" where it should."""
    if address(gateway)[0] in _LOOPBACK:
        return (
            f"the board will send to {gateway}, which is the board itself:"
            " give --gateway HOST:PORT with this machine's address"
        )
    bound, port = address(coap_address(dir_))
    if bound in _LOOPBACK:
        return (
            f"tallystick.toml binds CoAP to {bound}, where no board reaches it:"
            f" set coap.host, or `tallystick run {dir_} --coap 0.0.0.0:{port}`"
        )
    return ""


def wifi(ssid: str, password_file: Path | None) -> dict[str, object]:
    """The password comes from a file or is asked for: an argument would be seen by everybody."""
    if not ssid:
        if password_file is not None:
            raise ConfigError("--wifi-password-file without a network", "give --wifi-ssid, too")
        return {}
    if password_file is None:
        password = typer.prompt(f"password of {ssid}", hide_input=True, default="", err=True)
    else:
        password = password_file.read_text().rstrip("\r\n")
    return {"wifi": {"ssid": ssid, "password": password}}


def sensors(given: list[str]) -> dict[str, object]:
    """Of each `DRIVER,KEY=VALUE,…` an object of config.json."""
    return {"sensors": [_sensor(one) for one in given]} if given else {}


def updates(key: str) -> dict[str, object]:
    """Whose releases the device takes."""
    return {"update_key": key} if key else {}


def small(profile: str | None) -> dict[str, object]:
    """Of `--small`; ConfigError where another profile is asked for than it has."""
    if profile not in (None, MAC):
        raise ConfigError(f"--small with --profile {profile}", "it has no room to sign: use mac")
    return {"small": True}


def checked(config: dict[str, object]) -> dict[str, object]:
    """`config`, which the board takes; ConfigError for what it would refuse.

    A small device checks nothing itself and knows no defaults: it is told all that sensors need.
    """
    fields = {key: value for key, value in config.items() if key != "small"}
    try:
        read = config_file.check(fields | {"secret": _STAND_IN})
    except DeviceError as error:
        raise ConfigError(str(error), "correct that option") from error
    if not config.get("small"):
        return config
    if any(one.driver == "board-temperature" for one in read.sensors):
        raise ConfigError("a small device does not read board-temperature", "give --sensor DRIVER")
    sensors = [
        {"driver": one.driver, "name": one.name, "every_ms": one.every_ms} | dict(one.keys)
        for one in read.sensors
    ]
    return config | {"sensors": sensors}


def _sensor(text: str) -> dict[str, object]:
    driver, *settings = text.split(",")
    found: dict[str, object] = {"driver": driver}
    if driver not in ("board-temperature", "simulated"):
        found["name"] = driver
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--sensor {text}", "write it like bme280,sda=4,scl=5")
        found[key] = int(value) if value.lstrip("-").isdigit() else value
    return found


def _own_address() -> str:
    """The address that this machine has towards its network; loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_EXAMPLE_PEER)
        except OSError:
            return _LOOPBACK[0]
        return str(probe.getsockname()[0])
