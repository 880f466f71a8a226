"""Packs: SenML-CBOR arrays of readings (RFC 8428 §6), integers and decimal fractions only.

Knows names, units and times; does not know who sent them or whether they are true.
"""

from collections import namedtuple

from protocol import cbor
from protocol.cbor import Decimal, decimal
from protocol.errors import MalformedError, TooLargeError, UnsupportedError
from protocol.limits import (
    MAX_MANTISSA,
    MAX_NAME_BYTES,
    MAX_PACK_RECORDS,
    MAX_TIME_MS,
    RELATIVE_TIME_MS,
)

# RFC 8428 §6, table 4
_BASE_NAME, _BASE_TIME, _BASE_UNIT = -2, -3, -4
_NAME, _UNIT, _VALUE, _TEXT, _BOOLEAN, _TIME, _DATA = 0, 1, 2, 3, 4, 6, 8
_KNOWN = (_BASE_NAME, _BASE_TIME, _BASE_UNIT, _NAME, _UNIT, _VALUE, _TEXT, _BOOLEAN, _TIME, _DATA)
_VALUES = (_VALUE, _TEXT, _BOOLEAN, _DATA)
_TYPES = (bool, int, Decimal, str, bytes)  # on MicroPython a bool is no int
_LATER_CHARACTERS = "-:./_"  # RFC 8428 §4.5.1, beside letters and digits


class Reading(namedtuple("Reading", ("name", "unit", "value", "time_ms"))):
    """One measurement.

    `name` is whole (base name and all); `value` is int, Decimal, bool, str or bytes; `time_ms`
    is Unix ms, or, below 2**28 s, relative to the moment of sealing (`absolute_ms`).
    """

    name: str
    unit: str
    value: object
    time_ms: int


def encode_pack(base_name: str, readings: list[Reading]) -> bytes:
    """A pack of readings whose names all start with `base_name`, in their order."""
    base_ms = readings[0].time_ms if readings[0].time_ms >= RELATIVE_TIME_MS else 0
    records: list[dict[int, object]] = []
    for reading in readings:
        record: dict[int, object] = {_NAME: reading.name[len(base_name) :]}
        if reading.unit:
            record[_UNIT] = reading.unit
        if reading.time_ms != base_ms:
            record[_TIME] = decimal(reading.time_ms - base_ms, -3)
        record[_label_of(reading.value)] = reading.value
        records.append(record)
    records[0][_BASE_NAME] = base_name
    if base_ms:
        records[0][_BASE_TIME] = decimal(base_ms, -3)
    return cbor.encode(records)


def _label_of(value: object) -> int:
    if value is True or value is False:
        return _BOOLEAN
    if isinstance(value, str):
        return _TEXT
    return _DATA if isinstance(value, bytes) else _VALUE


def decode_pack(data: bytes) -> list[Reading]:
    """The readings of a pack, names and times resolved (RFC 8428 §4.6).

    Raises MalformedError, UnsupportedError or TooLargeError; says which record.
    """
    records = cbor.decode(data)
    if not isinstance(records, list) or not records:
        raise MalformedError("a pack is a non-empty array of records")
    if len(records) > MAX_PACK_RECORDS:
        raise TooLargeError(f"{len(records)} records in a pack, over {MAX_PACK_RECORDS}")
    base: dict[int, object] = {}
    return [_resolve(position, record, base) for position, record in enumerate(records)]


def absolute_ms(time_ms: int, now_ms: int) -> int:
    """Unix ms of a reading's time: small ones are relative to now (RFC 8428 §4.5.3)."""
    return time_ms if time_ms >= RELATIVE_TIME_MS else now_ms + time_ms


def _resolve(position: int, record: object, base: dict[int, object]) -> Reading:
    if not isinstance(record, dict):
        raise MalformedError(f"record {position} is not a map")
    for label in record:
        if label not in _KNOWN:
            raise UnsupportedError(f"record {position}: SenML label {label!r}")
    for label in (_BASE_NAME, _BASE_TIME, _BASE_UNIT):
        if label in record:
            base[label] = record[label]
    name = _text(position, base.get(_BASE_NAME, "")) + _text(position, record.get(_NAME, ""))
    _check_name(position, name)
    unit = _text(position, record.get(_UNIT, _text(position, base.get(_BASE_UNIT, ""))))
    time_ms = _ms(position, base.get(_BASE_TIME, 0)) + _ms(position, record.get(_TIME, 0))
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


def is_name(name: str) -> bool:
    """Whether `name` is one that RFC 8428 §4.5.1 allows, and not over our limit."""
    if not name or len(name) > MAX_NAME_BYTES or name[0] in _LATER_CHARACTERS:
        return False
    for letter in name:
        if not ("a" <= letter <= "z" or "A" <= letter <= "Z" or "0" <= letter <= "9"):
            if letter not in _LATER_CHARACTERS:
                return False
    return True


def _value(position: int, record: dict[int, object]) -> object:
    present = [label for label in _VALUES if label in record]
    if len(present) != 1:
        raise MalformedError(f"record {position} has {len(present)} values, not one")
    label = present[0]
    value = record[label]
    if label != _label_of(value) or not isinstance(value, _TYPES):
        raise MalformedError(f"record {position}: a value of the wrong type")
    if isinstance(value, int) and not -MAX_MANTISSA <= value <= MAX_MANTISSA:
        raise TooLargeError(f"record {position}: a value over 63 bits")
    return value


def _ms(position: int, seconds: object) -> int:
    if isinstance(seconds, Decimal):
        shift = seconds.exponent + 3
        scale: int = 10 ** abs(shift)
        time_ms = seconds.mantissa * scale if shift >= 0 else seconds.mantissa // scale
    elif isinstance(seconds, int) and seconds is not True and seconds is not False:
        time_ms = seconds * 1000
    else:
        raise MalformedError(f"record {position}: a time that is not a number")
    return time_ms
