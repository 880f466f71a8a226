"""Packs: SenML-CBOR arrays of readings (RFC 8428 §6), integers and decimal fractions only.

Knows names, units and times; does not know who sent them or whether they are true.
"""

from collections import namedtuple

from protocol import cbor
from protocol.cbor import decimal
from protocol.limits import MAX_NAME_BYTES, RELATIVE_TIME_MS

# RFC 8428 §6, table 4
BASE_NAME, BASE_TIME, BASE_UNIT = -2, -3, -4
NAME, UNIT, VALUE, TEXT, BOOLEAN, TIME, DATA = 0, 1, 2, 3, 4, 6, 8


class Reading(namedtuple("Reading", ("name", "unit", "value", "time_ms"))):
    """One measurement.

    `name` is whole (base name and all); `value` is int, Decimal, bool, str or bytes; `time_ms`
    is Unix ms, or, below 2**28 s, relative to the moment of sealing (`resolve.absolute_ms`).
    """

    name: str
    unit: str
    value: object
    time_ms: int


def encode_pack(base_name: str, readings: list[Reading], start_ms: int = 0) -> bytes:
    """A pack of readings whose names all start with `base_name`, in their order.

    Their times count from `start_ms`.
    """
    first_ms = start_ms + readings[0].time_ms
    base_ms = first_ms if first_ms >= RELATIVE_TIME_MS else 0
    after_start_ms = start_ms - base_ms
    out = bytearray()
    name = unit = ""  # mostly those of the record before: their bytes are made once
    name_text = unit_text = b""
    cbor.head(out, cbor.ARRAY, len(readings))
    base = 1 + bool(base_ms)  # fields of the pack, which its first record has
    for reading in readings:
        after_ms = reading.time_ms + after_start_ms
        cbor.head(out, cbor.MAP, 2 + bool(reading.unit) + bool(after_ms) + base)
        # in the order of their encodings: the labels below zero are the last
        if reading.name != name:
            name = reading.name
            name_text = name[len(base_name) :].encode()
        _text(out, NAME, name_text)
        if reading.unit != unit:
            unit = reading.unit
            unit_text = unit.encode()
        if unit:
            _text(out, UNIT, unit_text)
        _value(out, reading.value, after_ms)
        if base:
            _field(out, BASE_NAME, base_name)
        if base > 1:
            _field(out, BASE_TIME, decimal(base_ms, -3))
        base = 0
    return bytes(out)


def _value(out: bytearray, value: object, after_ms: int) -> None:
    label = label_of(value)
    if label < TIME:
        _field(out, label, value)
    if after_ms:
        _field(out, TIME, decimal(after_ms, -3))
    if label > TIME:
        _field(out, label, value)


def _text(out: bytearray, label: int, text: bytes) -> None:
    cbor.write(out, label)
    cbor.head(out, cbor.TEXT, len(text))
    out.extend(text)


def _field(out: bytearray, label: int, value: object) -> None:
    cbor.write(out, label)
    cbor.write(out, value)


def label_of(value: object) -> int:
    """The label that a value of this type goes under."""
    if value is True or value is False:
        return BOOLEAN
    if isinstance(value, str):
        return TEXT
    return DATA if isinstance(value, bytes) else VALUE


def is_name(name: str) -> bool:
    """Whether `name` is one that RFC 8428 §4.5.1 allows, and not over our limit."""
    # as bytes: firmware keeps each letter that it takes out of a text for ever, as a name
    if not 0 < len(name) <= MAX_NAME_BYTES or name != name.lstrip("-:./_"):
        return False
    for one in name.encode("utf-8", "replace"):  # a to z, A to Z, - . / digits :, and _
        if not (97 <= one <= 122 or 65 <= one <= 90 or 45 <= one <= 58 or one == 95):
            return False
    return True
