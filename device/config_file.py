"""Reads config.json into one checked Config. A wrong file is refused, with the fix.

The keys are the ones that `tallystick device add` prints. Nothing here is ever printed back:
an error names the key, never its value.
"""

import json

from device.config import OWN_NAMES, Config, ConfigError, SensorConfig
from device.sensors import DRIVERS
from protocol.envelope import SECRET_BYTES
from protocol.limits import ACK_TIMEOUT_MS, MAX_ENVELOPE_BYTES, MAX_NAME_BYTES, MAX_PACK_RECORDS
from protocol.senml import is_name

DEFAULT_EVERY_MS = 10_000
MIN_OUTBOX_BYTES = 4 * MAX_ENVELOPE_BYTES
_DAY_MS = 24 * 60 * 60 * 1000
# Of each key: its default, the least and the most it may be.
_NUMBERS = {
    "readings_per_pack": (1, 1, MAX_PACK_RECORDS - 8),  # the rest is for our own counters
    "pack_age_ms": (30_000, 0, _DAY_MS),
    "ack_timeout_ms": (ACK_TIMEOUT_MS, 10, 60_000),
    "outbox_bytes": (65_536, MIN_OUTBOX_BYTES, 1 << 28),
}
_KEYS = ("name", "secret", "gateway", "sensors", "wifi") + tuple(_NUMBERS)
_SENSOR_KEYS = ("driver", "name", "every_ms")
_WIFI_KEYS = ("ssid", "password")


def load(path: str) -> Config:
    """The configuration in the file `path`; ConfigError for anything wrong with it."""
    try:
        with open(path) as file:
            fields = json.load(file)
    except OSError:
        raise ConfigError(f"no {path}: make one with `tallystick device add NAME`")
    except ValueError:
        raise ConfigError(f"{path} is not JSON: print it again with `tallystick device add`")
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} is not a JSON object: write {{...}} around it")
    return check(fields)


def check(fields: dict[str, object]) -> Config:
    """The configuration that the keys and values of config.json spell."""
    _refuse_unknown("config.json", fields, _KEYS)
    name = _name("name", fields.get("name"))
    config = Config(name, _secret(fields.get("secret")), _sensors(fields, name))
    config.host, config.port = _address(fields.get("gateway"))
    config.readings_per_pack = _number(fields, "readings_per_pack")
    config.pack_age_ms = _number(fields, "pack_age_ms")
    config.ack_timeout_ms = _number(fields, "ack_timeout_ms")
    config.outbox_bytes = _number(fields, "outbox_bytes")
    config.wifi = _wifi(fields.get("wifi"))
    return config


def _refuse_unknown(where: str, fields: dict[str, object], known: tuple[str, ...]) -> None:
    for key in fields:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; known are {', '.join(known)}")


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key}: write a text in quotes")
    return value


def _name(key: str, value: object) -> str:
    name = _text(key, value)
    if "/" in name or not is_name(name):
        raise ConfigError(
            f"{key}: use letters, digits and - : . _, starting with a letter or digit,"
            f" at most {MAX_NAME_BYTES}"
        )
    return name


def _secret(value: object) -> bytes:
    text = _text("secret", value)
    fault = ConfigError(f"secret: write {2 * SECRET_BYTES} hex digits, as enrolment printed them")
    if len(text) != 2 * SECRET_BYTES:
        raise fault
    for digit in text:
        if digit not in "0123456789abcdefABCDEF":
            raise fault
    return bytes.fromhex(text)


def _address(value: object) -> tuple[str, int]:
    host, colon, port = _text("gateway", value).rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ConfigError(
            'gateway: write "host:port" or "[IPv6]:port", for example "10.0.0.2:5683"'
        )
    return host, int(port)


def _number(fields: dict[str, object], key: str) -> int:
    default, least, most = _NUMBERS[key]
    return _whole(key, fields.get(key, default), least, most)


def _whole(key: str, value: object, least: int, most: int) -> int:
    # on CPython a bool is an int, too
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(f"{key}: write a whole number from {least} to {most}")
    return value


def _sensors(fields: dict[str, object], device: str) -> list[SensorConfig]:
    if "sensors" not in fields:
        return [SensorConfig("board-temperature", "temperature", DEFAULT_EVERY_MS)]
    listed = fields["sensors"]
    if not isinstance(listed, list) or not listed:
        raise ConfigError('sensors: write a list, for example [{"driver": "board-temperature"}]')
    sensors = [_sensor(f"sensors[{index}]", one) for index, one in enumerate(listed)]
    names = [sensor.name for sensor in sensors]
    for name in names:
        if names.count(name) > 1 or name in OWN_NAMES:
            raise ConfigError(f"sensors: the name {name!r} is taken; give each its own")
        if len(device) + 1 + len(name) > MAX_NAME_BYTES:
            raise ConfigError(f"sensors: {name!r} and the device's name are over {MAX_NAME_BYTES}")
    return sensors


def _sensor(key: str, fields: object) -> SensorConfig:
    if not isinstance(fields, dict):
        raise ConfigError(f'{key}: write an object, for example {{"driver": "simulated"}}')
    _refuse_unknown(key, fields, _SENSOR_KEYS)
    driver = fields.get("driver")
    if driver not in DRIVERS:
        raise ConfigError(f"{key}.driver: write one of {', '.join(sorted(DRIVERS))}")
    every_ms = _whole(key + ".every_ms", fields.get("every_ms", DEFAULT_EVERY_MS), 0, _DAY_MS)
    return SensorConfig(driver, _name(key + ".name", fields.get("name", "temperature")), every_ms)


def _wifi(fields: object) -> tuple[str, str] | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise ConfigError('wifi: write {"ssid": "...", "password": "..."}')
    _refuse_unknown("wifi", fields, _WIFI_KEYS)
    password = fields.get("password", "")
    if not isinstance(password, str):
        raise ConfigError("wifi.password: write a text in quotes")
    return _text("wifi.ssid", fields.get("ssid")), password
