"""Deterministic CBOR (RFC 8949 §4.2), the subset our formats use: the writer.

int, bytes, str, list, dict, bool, None and `Decimal` (tag 4, RFC 8949 §3.4.4). No floats:
small boards have 32-bit ones. Apart from the reader, which a board has no use for.
"""

from collections import namedtuple

_UINT, _NINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = 0, 1, 2, 3, 4, 5, 6
_DECIMAL_TAG = 4


class Decimal(namedtuple("Decimal", ("mantissa", "exponent"))):
    """mantissa * 10**exponent, exponent < 0, no trailing zero: make one with `decimal`."""

    mantissa: int
    exponent: int


def decimal(mantissa: int, exponent: int) -> int | Decimal:
    """The one spelling of mantissa * 10**exponent: an int where it is whole."""
    while exponent < 0 and mantissa % 10 == 0:
        mantissa //= 10
        exponent += 1
        if not mantissa:
            return 0
    return Decimal(mantissa, exponent) if exponent < 0 else mantissa * 10**exponent


def encode(value: object) -> bytes:
    """The bytes of `value`; TypeError where it has none (our bug, not the peer's)."""
    if value is False:
        return b"\xf4"
    if value is True:
        return b"\xf5"
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _head(_UINT, value) if value >= 0 else _head(_NINT, -1 - value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _head(_BYTES, len(value)) + bytes(value)
    if isinstance(value, str):
        text = value.encode()
        return _head(_TEXT, len(text)) + text
    return _encode_container(value)


def array(items: list[bytes]) -> bytes:
    """The array of items that are encoded already."""
    return _head(_ARRAY, len(items)) + b"".join(items)


def _encode_container(value: object) -> bytes:
    if isinstance(value, Decimal):
        return _head(_TAG, _DECIMAL_TAG) + encode([value.exponent, value.mantissa])
    if isinstance(value, (list, tuple)):
        return array([encode(item) for item in value])
    if isinstance(value, dict):
        pairs = sorted([(encode(key), encode(item)) for key, item in value.items()])
        return _head(_MAP, len(pairs)) + b"".join([key + item for key, item in pairs])
    raise TypeError("no CBOR for {}".format(type(value)))


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for power in range(4):
        size = 1 << power
        if number < 1 << 8 * size:
            return bytes((major << 5 | 24 + power,)) + number.to_bytes(size, "big")
    raise TypeError(f"no CBOR integer for {number}")
