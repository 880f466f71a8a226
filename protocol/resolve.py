"""Packs resolved into readings (RFC 8428 §4.6): names whole, times in ms, everything checked.

The mirror of `protocol.senml`, and apart from it: a board writes packs and never reads one.
"""

from protocol import cbor_reader
from protocol.cbor import Decimal
from protocol.errors import MalformedError, TooLargeError, UnsupportedError
from protocol.limits import (
    MAX_MANTISSA,
    MAX_NAME_BYTES,
    MAX_PACK_RECORDS,
    MAX_TIME_MS,
    RELATIVE_TIME_MS,
)
from protocol.senml import (
    BASE_NAME,
    BASE_TIME,
    BASE_UNIT,
    BOOLEAN,
    DATA,
    NAME,
    TEXT,
    TIME,
    UNIT,
    VALUE,
    Reading,
    is_name,
    label_of,
)

_KNOWN = (BASE_NAME, BASE_TIME, BASE_UNIT, NAME, UNIT, VALUE, TEXT, BOOLEAN, TIME, DATA)
_VALUES = (VALUE, TEXT, BOOLEAN, DATA)
_TYPES = (bool, int, Decimal, str, bytes)  # on MicroPython a bool is no int


def decode_pack(data: bytes) -> list[Reading]:
    """The readings of a pack, names and times resolved (RFC 8428 §4.6).

    Raises MalformedError, UnsupportedError or TooLargeError; says which record.
    """
    records = cbor_reader.decode(data)
    if not isinstance(records, list) or not records:
        raise MalformedError("a pack is a non-empty array of records")
    if len(records) > MAX_PACK_RECORDS:
        raise TooLargeError(f"{len(records)} records in a pack, over {MAX_PACK_RECORDS}")
    base: dict[int, object] = {}
    return [_resolve(position, record, base) for position, record in enumerate(records)]


def absolute_ms(time_ms: int, now_ms: int) -> int:
    """Unix ms of a reading's time: small ones are relative to now (RFC 8428 §4.5.3)."""
    return time_ms if time_ms >= RELATIVE_TIME_MS else now_ms + time_ms


def milliseconds(seconds: object) -> int | None:
    """Whole ms, the rest cut off toward the past; None of what is no number."""
    if isinstance(seconds, Decimal):
        shift = seconds.exponent + 3
        scale: int = 10 ** abs(shift)
        return seconds.mantissa * scale if shift >= 0 else seconds.mantissa // scale
    if isinstance(seconds, int) and seconds is not True and seconds is not False:
        return seconds * 1000
    return None


def _resolve(position: int, record: object, base: dict[int, object]) -> Reading:
    if not isinstance(record, dict):
        raise MalformedError(f"record {position} is not a map")
    for label in record:
        if label not in _KNOWN:
            raise UnsupportedError(f"record {position}: SenML label {label!r}")
    for label in (BASE_NAME, BASE_TIME, BASE_UNIT):
        if label in record:
            base[label] = record[label]
    name = _text(position, base.get(BASE_NAME, "")) + _text(position, record.get(NAME, ""))
    _check_name(position, name)
    unit = _text(position, record.get(UNIT, _text(position, base.get(BASE_UNIT, ""))))
    time_ms = _ms(position, base.get(BASE_TIME, 0)) + _ms(position, record.get(TIME, 0))
    if not -MAX_TIME_MS <= time_ms <= MAX_TIME_MS:
        raise TooLargeError(f"record {position}: a time out of range")
    return Reading(name, unit, _value(position, record), time_ms)


def _text(position: int, text: object) -> str:
    if not isinstance(text, str):
        raise MalformedError(f"record {position}: a name or unit that is not text")
    if len(text) > MAX_NAME_BYTES:
        raise TooLargeError(f"record {position}: a name or unit over {MAX_NAME_BYTES} characters")
    return text


def _check_name(position: int, name: str) -> None:
    if not is_name(name):
        raise MalformedError(f"record {position}: {name!r} is no SenML name")


def _value(position: int, record: dict[int, object]) -> object:
    present = [label for label in _VALUES if label in record]
    if len(present) != 1:
        raise MalformedError(f"record {position} has {len(present)} values, not one")
    label = present[0]
    value = record[label]
    if label != label_of(value) or not isinstance(value, _TYPES):
        raise MalformedError(f"record {position}: a value of the wrong type")
    if isinstance(value, int) and not -MAX_MANTISSA <= value <= MAX_MANTISSA:
        raise TooLargeError(f"record {position}: a value over 63 bits")
    return value


def _ms(position: int, seconds: object) -> int:
    time_ms = milliseconds(seconds)
    if time_ms is None:
        raise MalformedError(f"record {position}: a time that is not a number")
    return time_ms
