"""Reads the `sensors` of config.json: what all of them may say, and what each driver takes."""

from device import sensors
from device.config import TAKEN_NAMES, ConfigError, SensorConfig
from device.config_checks import DAY_MS, name, number, refuse_unknown, text, whole
from protocol.limits import MAX_NAME_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Driver, Keys, Limits, Settings

_EVERY_MS = (10_000, 0, DAY_MS)
_COMMON = ("driver", "name", "every_ms", "at_ms")
_LIMITS = ("band", "alarm_above", "alarm_below")
_AT_LEAST_MS = (3_600_000, 1000, DAY_MS)
# A sensor's name, "/", and "read-errors" or the longest of its quantities.
_ROOM_BYTES = 14


def read(fields: dict[str, object], device: str) -> list[SensorConfig]:
    """The sensors of the device of that name; ConfigError for anything wrong with them."""
    listed = fields.get("sensors", [{"driver": "board-temperature"}])
    if not isinstance(listed, list) or not listed:
        raise ConfigError('sensors: write a list, for example [{"driver": "board-temperature"}]')
    found = [_sensor(f"sensors[{index}]", one) for index, one in enumerate(listed)]
    names = [sensor.name for sensor in found]
    for one in names:
        if names.count(one) > 1 or one in TAKEN_NAMES:
            raise ConfigError(f"sensors: the name {one!r} is taken; give each its own")
        if len(device) + 1 + len(one) + _ROOM_BYTES > MAX_NAME_BYTES:
            raise ConfigError(f"sensors: {one!r} and the device's name are too long together")
    return found


def _sensor(key: str, fields: object) -> SensorConfig:
    if not isinstance(fields, dict):
        raise ConfigError(f'{key}: write an object, for example {{"driver": "simulated"}}')
    driver = name(key + ".driver", fields.get("driver"))
    module = _load(key + ".driver", driver)
    keys = module.KEYS
    refuse_unknown(key, fields, _COMMON + _LIMITS + ("at_least_ms",) + tuple(keys))
    allowed = keys.get("every_ms", _EVERY_MS)
    every_ms = _whole(key, fields, "every_ms", _EVERY_MS if isinstance(allowed, str) else allowed)
    config = SensorConfig(driver, name(key + ".name", fields.get("name", "temperature")), every_ms)
    if "at_ms" in fields:
        if not every_ms:
            raise ConfigError(f"{key}.at_ms: give every_ms, too: it is a moment of that period")
        config.at_ms = whole(key + ".at_ms", fields["at_ms"], 0, every_ms - 1)
    config.keys = _keys(key, fields, keys)
    config.limits = _limits(key, fields, _quantities(module))
    config.at_least_ms = _whole(key, fields, "at_least_ms", _AT_LEAST_MS)
    return config


def _load(key: str, driver: str) -> "Driver":
    if "." in driver or ":" in driver:
        raise ConfigError(f"{key}: a driver's name has letters, digits, - and _")
    try:
        return sensors.load(driver)
    except MemoryError:  # no fault of the file's: another start may have room for it
        raise
    except Exception as error:  # whatever a driver of the owner's does when it is loaded
        file = "drivers/" + driver.replace("-", "_") + ".py"
        raise ConfigError(
            f"{key}: {driver!r} is not among ours, and {file} beside config.json says: {error}"
        )


def _keys(key: str, fields: dict[str, object], known: "Keys") -> "Settings":
    return {
        one: text(f"{key}.{one}", fields.get(one, allowed))
        if isinstance(allowed, str)
        else _whole(key, fields, one, allowed)
        for one, allowed in known.items()
        if one != "every_ms"
    }


def _whole(
    key: str, fields: dict[str, object], one: str, allowed: "tuple[int | None, int, int]"
) -> int:
    default, least, most = allowed
    return whole(f"{key}.{one}", fields.get(one, default), least, most)


def _quantities(module: "Driver") -> "tuple[str, ...] | None":
    """The suffixes of what it reads, None where a driver of the owner's does not say."""
    try:
        return module.QUANTITIES
    except AttributeError:
        return ("",) if module.__name__.startswith("device.") else None


def _limits(
    key: str, fields: dict[str, object], known: "tuple[str, ...] | None"
) -> "Limits | None":
    """Of each limit, the number of each quantity; under "*" the one for all of them."""
    limits: "Limits" = {}
    for limit in _LIMITS:
        if limit in fields:
            written = fields[limit]
            of_each = written if isinstance(written, dict) else {"*": written}
            for quantity in of_each:
                if known is not None and quantity != "*" and quantity not in known:
                    names = ", ".join(known) or "one, without a name: write its number alone"
                    raise ConfigError(
                        f"{key}.{limit}: no quantity {quantity!r} is read here, but {names}"
                    )
            limits[limit] = {
                quantity: number(f"{key}.{limit}", value) for quantity, value in of_each.items()
            }
    return limits or None
