"""Reads config.json into one checked Config. A wrong file is refused, with the fix.

The keys are the ones that `tallystick device add` prints. Nothing here is ever printed back:
an error names the key, never its value.
"""

import json
import os

from device import config_sensors
from device.config import DEEP, Config, ConfigError
from device.config_checks import DAY_MS, check_sleep, name, refuse_unknown, text, whole
from protocol.envelope import SECRET_BYTES
from protocol.limits import ACK_TIMEOUT_MS, MAX_ENVELOPE_BYTES, MAX_PACK_RECORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files

_ENOENT = 2
KEY_BYTES = 64
MIN_OUTBOX_BYTES = 4 * MAX_ENVELOPE_BYTES
# Of each key: its default, the least and the most it may be.
_NUMBERS = {
    "readings_per_pack": (1, 1, MAX_PACK_RECORDS - 8),  # the rest is for our own counters
    "pack_age_ms": (30_000, 0, DAY_MS),
    "ack_timeout_ms": (ACK_TIMEOUT_MS, 10, 60_000),
    "outbox_bytes": (65_536, MIN_OUTBOX_BYTES, 1 << 28),
    "block_bytes": (MAX_ENVELOPE_BYTES, 16, MAX_ENVELOPE_BYTES),
    "generation": (0, 0, (1 << 32) - 1),
    "trial_ms": (600_000, 1000, DAY_MS),
}
# Of each key: the words it may be, the default first.
_WORDS = {
    "keep": ("batch", "always", "outage"),
    "drop": ("oldest", "newest"),
    "hear": ("with-receipts", "at-once"),
    "sleep": ("none", DEEP),
}
_OTHERS = ("name", "secret", "profile", "key", "gateway", "sensors", "wifi", "update_key", "small")
_KEYS = _OTHERS + tuple(_NUMBERS) + tuple(_WORDS)
_PROFILES = ("sig", "mac")
_PRIVATE_BYTES = 32
_WIFI_KEYS = ("ssid", "password")


def of(files: "Files", folder: str) -> Config:
    """The configuration of the device whose state is in `folder`, with what it was told since."""
    fields = fields_of(folder + "/config.json")
    try:
        os.stat(folder + "/control")
    except OSError:
        return check(fields)  # it was never told anything
    from device import remote
    from device.forgetting import forget

    settings = remote.chosen(files, folder, fields)
    forget("device.remote", "device.standing")
    return settings


def load(path: str) -> Config:
    """The configuration in the file `path`; ConfigError for anything wrong with it."""
    return check(fields_of(path))


def fields_of(path: str) -> "dict[str, object]":
    """The keys and values in the file `path`, which are not checked.

    ConfigError where there is none, or no such thing; OSError where the flash fails to read.
    """
    try:
        with open(path) as file:
            fields = json.load(file)
    except OSError as error:
        if error.errno != _ENOENT:
            raise
        raise ConfigError(f"no {path}: make one with `tallystick device add NAME`")
    except ValueError:
        raise ConfigError(f"{path} is not JSON: print it again with `tallystick device add`")
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} is not a JSON object: write {{...}} around it")
    return fields


def check(fields: dict[str, object]) -> Config:
    """The configuration that the keys and values of config.json spell."""
    refuse_unknown("config.json", fields, _KEYS)
    if fields.get("small", False) is not False:
        raise ConfigError('small: write true or false; true goes with "profile": "mac" only')
    device = name("name", fields.get("name"))
    secret = _secret(fields.get("secret"))
    config = Config(device, secret, config_sensors.read(fields, device))
    config.profile = _profile(fields)
    config.generation = _number(fields, "generation")
    if "key" in fields:
        config.key = _hex("key", fields["key"], _PRIVATE_BYTES, "enrolment")
    config.host, config.port = _address(fields.get("gateway"))
    config.readings_per_pack = _number(fields, "readings_per_pack")
    config.pack_age_ms = _number(fields, "pack_age_ms")
    config.ack_timeout_ms = _number(fields, "ack_timeout_ms")
    config.outbox_bytes = _number(fields, "outbox_bytes")
    config.block_bytes = _number(fields, "block_bytes")
    for key, words in _WORDS.items():
        setattr(config, key, _word(key, fields.get(key, words[0]), words))
    config.trial_ms = _number(fields, "trial_ms")
    config.wifi = _wifi(fields.get("wifi"))
    config.update_key = _update_key(fields.get("update_key"))
    if config.sleep == DEEP:
        check_sleep(config)
    return config


def _secret(value: object) -> bytes:
    return _hex("secret", value, SECRET_BYTES, "enrolment")


def _profile(fields: dict[str, object]) -> str:
    profile = fields.get("profile", "")
    if profile not in _PROFILES and "profile" in fields:
        raise ConfigError('profile: write "sig" or "mac", as enrolment printed it')
    return str(profile)


def _update_key(value: object) -> bytes | None:
    if value is None:
        return None
    return _hex("update_key", value, KEY_BYTES, "`tallystick firmware keygen`")


def _hex(key: str, value: object, size: int, printed_by: str) -> bytes:
    digits = text(key, value)
    fault = ConfigError(f"{key}: write {2 * size} hex digits, as {printed_by} printed them")
    # not by the digit: a board would keep each for ever, as a name
    if len(digits) != 2 * size or digits.strip("0123456789abcdefABCDEF"):
        raise fault
    return bytes.fromhex(digits)


def _address(value: object) -> tuple[str, int]:
    host, colon, port = text("gateway", value).rpartition(":")
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
    return whole(key, fields.get(key, default), least, most)


def _word(key: str, value: object, words: tuple[str, ...]) -> object:
    if value not in words:
        raise ConfigError(f"{key}: write one of {', '.join(words)}")
    return value


def _wifi(fields: object) -> tuple[str, str] | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise ConfigError('wifi: write {"ssid": "...", "password": "..."}')
    refuse_unknown("wifi", fields, _WIFI_KEYS)
    password = fields.get("password", "")
    if not isinstance(password, str):
        raise ConfigError("wifi.password: write a text in quotes")
    return text("wifi.ssid", fields.get("ssid")), password
