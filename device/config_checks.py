"""How single values of config.json are checked: each is right, or refused by its key."""

from device.config import ConfigError
from protocol.cbor import decimal
from protocol.limits import MAX_NAME_BYTES
from protocol.senml import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from protocol.cbor import Decimal

DAY_MS = 24 * 60 * 60 * 1000
_MOST_DIGITS = 15
_LEAST_SLEEP_MS = 30_000


def refuse_unknown(where: str, fields: dict[str, object], known: tuple[str, ...]) -> None:
    for key in fields:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}; known are {', '.join(known)}")


def text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key}: write a text in quotes")
    return value


def name(key: str, value: object) -> str:
    written = text(key, value)
    if "/" in written or not is_name(written):
        raise ConfigError(
            f"{key}: use letters, digits and - : . _, starting with a letter or digit,"
            f" at most {MAX_NAME_BYTES}"
        )
    return written


def whole(key: str, value: object, least: int, most: int) -> int:
    # on CPython a bool is an int, too
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(f"{key}: write a whole number from {least} to {most}")
    return value


def number(key: str, value: object) -> "int | Decimal":
    """A whole number, or a fraction in quotes: without them a board reads 0.1 as 0.10000000149."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        before, _, after = value.partition(".")
        digits = before[1:] if before.startswith("-") else before
        if _is_digits(digits) and ("." not in value or _is_digits(after)):
            return decimal(int(before + after), -len(after))
    raise ConfigError(f'{key}: write a whole number, or a fraction in quotes: "0.5"')


def check_sleep(config: "Config") -> None:
    """Refuses what a device that sleeps between samples cannot do."""
    for sensor in config.sensors:
        if sensor.every_ms < _LEAST_SLEEP_MS:
            raise ConfigError(
                f"sleep: {sensor.name!r} is due too often to sleep in between;"
                f' give it an every_ms of at least {_LEAST_SLEEP_MS}, or write "none"'
            )
        if sensor.driver == "pulses":
            raise ConfigError(f'sleep: {sensor.name!r} has to stay awake to count; write "none"')
    if config.hear != "with-receipts":
        raise ConfigError('sleep: who sleeps cannot hear at once; write "hear": "with-receipts"')


def _is_digits(written: str) -> bool:
    return 0 < len(written) <= _MOST_DIGITS and not written.strip("0123456789")
