"""Which readings are worth sending: a dead-band, and alarms. In whole numbers only.

Loaded where a sensor of config.json has `band`, `alarm_above` or `alarm_below`.
"""

from device.slot import SEND, SEND_NOW, SKIP
from protocol.cbor import Decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Limits


class Band:
    """Remembers of each quantity what was sent last."""

    def __init__(self, limits: "Limits", at_least_ms: int) -> None:
        self._limits = limits
        self._at_least_ms = at_least_ms
        self._sent: dict[str, tuple[int | Decimal, int, bool]] = {}  # value, when, alarmed

    def judge(self, suffix: str, value: int | Decimal, now_ms: int) -> int:
        """What to do with a reading. Crossing a threshold, either way, is told at once."""
        alarmed = self._is_alarming(suffix, value)
        if suffix in self._sent:
            last, sent_ms, was_alarmed = self._sent[suffix]
            crossed = alarmed != was_alarmed
            if not crossed and now_ms - sent_ms < self._at_least_ms:
                if self._is_close(suffix, value, last):
                    return SKIP
        else:
            crossed = alarmed
        self._sent[suffix] = (value, now_ms, alarmed)
        return SEND_NOW if crossed else SEND

    def _is_alarming(self, suffix: str, value: int | Decimal) -> bool:
        above = self._limit("alarm_above", suffix)
        below = self._limit("alarm_below", suffix)
        if above is not None and difference(value, above, 0) > 0:
            return True
        return below is not None and difference(below, value, 0) > 0

    def _is_close(self, suffix: str, value: int | Decimal, last: int | Decimal) -> bool:
        band = self._limit("band", suffix)
        if band is None:
            return False
        return difference(value, last, band) < 0 and difference(last, value, band) < 0

    def _limit(self, limit: str, suffix: str) -> "int | Decimal | None":
        of_each = self._limits.get(limit)
        if of_each is None:
            return None
        return of_each.get(suffix, of_each.get("*"))


def difference(one: int | Decimal, other: int | Decimal, less: int | Decimal) -> int:
    """one - other - less, in units of the finest of the three: its sign is what counts."""
    finest = min(_exponent(one), _exponent(other), _exponent(less))
    return _units(one, finest) - _units(other, finest) - _units(less, finest)


def _exponent(number: int | Decimal) -> int:
    return number.exponent if isinstance(number, Decimal) else 0


def _units(number: int | Decimal, finest: int) -> int:
    mantissa, exponent = number if isinstance(number, Decimal) else (number, 0)
    factor: int = 10 ** (exponent - finest)
    return mantissa * factor
