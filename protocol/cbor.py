"""Deterministic CBOR (RFC 8949 §4.2), the subset our formats use: the writer.

int, bytes, str, list, dict, bool, None and `Decimal` (tag 4, RFC 8949 §3.4.4). No floats:
small boards have 32-bit ones. Apart from the reader, which a board has no use for.
"""

from collections import namedtuple

UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG = 0, 1, 2, 3, 4, 5, 6
_DECIMAL_TAG = 4
_BYTES = (bytes, bytearray, memoryview)  # once: a tuple in its place is made at every call


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
    out = bytearray()
    write(out, value)
    return bytes(out)


def write(out: bytearray, value: object) -> None:
    """Adds the bytes of `value` to `out`: a board has no memory for all its parts twice."""
    if value is None or value is False or value is True:
        out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
    elif isinstance(value, int):
        head(out, UINT if value >= 0 else NINT, value if value >= 0 else -1 - value)
    elif isinstance(value, str):
        text = value.encode()
        head(out, TEXT, len(text))
        out.extend(text)
    elif isinstance(value, _BYTES):
        head(out, BYTES, len(value))
        out.extend(value)
    else:
        _write_container(out, value)


def _write_container(out: bytearray, value: object) -> None:
    if isinstance(value, Decimal):
        head(out, TAG, _DECIMAL_TAG)
        head(out, ARRAY, 2)
        write(out, value.exponent)
        write(out, value.mantissa)
    elif isinstance(value, (list, tuple)):
        head(out, ARRAY, len(value))
        for item in value:
            write(out, item)
    elif isinstance(value, dict):
        head(out, MAP, len(value))
        for key, item in sorted([(encode(key), item) for key, item in value.items()]):
            out.extend(key)
            write(out, item)
    else:
        raise TypeError("no CBOR for {}".format(type(value)))


def head(out: bytearray, major: int, number: int) -> None:
    """Adds the head of an item (RFC 8949 §3), in the fewest bytes."""
    if number < 24:
        out.append(major << 5 | number)
        return
    for power in range(4):
        size = 1 << power
        if number < 1 << 8 * size:
            out.append(major << 5 | 24 + power)
            while size:
                size -= 1
                out.append(number >> 8 * size & 0xFF)
            return
    raise TypeError(f"no CBOR integer for {number}")
