"""Packs as boards write them, checked without decoding them.

`is_usual` says yes only to packs that `protocol.resolve.decode_pack` accepts and whose readings
are all named after the device, in a fraction of its time; to what is unusual it says no, and the
decoder decides. That it never says yes where the decoder says no is tested with every vector,
every prefix and flipped byte of many packs, and with random ones.

Later records are nearly always plain ones (`plain`), and then nothing of them is looked at again.
The usual form: the first record alone has base fields, its base name among them; names and units
of at most 23 letters; numbers, decimal fractions and booleans for values.
"""

import re

from gateway.ingest import plain
from protocol.limits import MAX_NAME_BYTES, MAX_PACK_RECORDS

_MAX_IN_HEAD = 23  # RFC 8949 §3: up to here a length or a number stands in the head itself
_DECIMAL_HEAD = 0xC4


def _integer(longest: bytes) -> bytes:
    """An integer in its shortest form; `longest` is the pattern of one of eight bytes."""
    return (
        rb"(?:[\x00-\x17\x20-\x37]|[\x18\x38][\x18-\xff]|[\x19\x39](?!\x00).{2}"
        rb"|[\x1a\x3a](?!\x00\x00).{4}|[\x1b\x3b](?!\x00{4})" + longest + rb".{7})"
    )


def _number(longest: bytes) -> bytes:
    """An integer, or tag 4 with an exponent from -1 to -18 and a mantissa."""
    integer = _integer(longest)
    return rb"(?:" + integer + rb"|\xc4\x82[\x20-\x31]" + integer + rb")"


# No value reaches 2**63; time and base time are below 2**62 ms each, so that the sum does not.
_VALUE, _TIME = _number(rb"[\x00-\x7e]"), _number(rb"\x00(?=[\x00-\x0f])")
# None of these letters is a label or the head of a record: a text ends where one of those stands.
_NAME, _UNIT = rb"([\x60-\x77][-:./_0-9A-Za-z]*)", rb"([\x60-\x77][-:./_0-9A-Za-z%]*)"
_BASE_NAME = rb"((?:[\x60-\x77]|\x78.)[-:./_0-9A-Za-z]*)"
_BODY = (
    rb"(?:\x00" + _NAME + rb")?(?:\x01" + _UNIT + rb")?"
    rb"(?:\x02(" + _VALUE + rb")|\x04([\xf4\xf5]))(?:\x06(" + _TIME + rb"))?"
)
_BASE = rb"\x21" + _BASE_NAME + rb"(?:\x22(" + _TIME + rb"))?(?:\x23" + _UNIT + rb")?"
_LATER = re.compile(rb"(.)" + _BODY, re.DOTALL)
_FIRST = re.compile(rb"(.)" + _BODY + _BASE, re.DOTALL)


def is_usual(data: bytes, prefix: bytes) -> bool:
    """Whether `data` is a pack in the usual form, each name `prefix` and what follows it."""
    at, count = _head(data)
    first = _FIRST.match(data, at) if count else None
    if first is None or not _has_its_fields(first):
        return False
    name, unit, value, _, time, base_name, base_time, base_unit = first.groups()[1:]
    base = _text(base_name)
    if not base.startswith(prefix):
        return False
    room = MAX_NAME_BYTES - len(base)
    if not (_fits(name, room) and _fits(unit, _MAX_IN_HEAD) and _fits(base_unit, _MAX_IN_HEAD)):
        return False
    if not (_is_one_spelling(value) and _is_one_spelling(time) and _is_one_spelling(base_time)):
        return False
    at, later = first.end(), count - 1
    if room >= _MAX_IN_HEAD and plain.are_plain(data, at, later):
        return True
    return _are_usual(data, at, later, room)


def _are_usual(data: bytes, at: int, count: int, room: int) -> bool:
    """The records after the first: `count` of them, their names at most `room` bytes long."""
    match = _LATER.match
    for _ in range(count):
        record = match(data, at)
        if record is None or not _has_its_fields(record):
            return False
        _, name, unit, value, _, time = record.groups()
        if not (_fits(name, room) and _fits(unit, _MAX_IN_HEAD)):
            return False
        if not (_is_one_spelling(value) and _is_one_spelling(time)):
            return False
        at = record.end()
    return at == len(data)


def _head(data: bytes) -> tuple[int, int]:
    """Where the first record starts, and how many there are: 0 where that is not usual."""
    if len(data) < 2:
        return 0, 0
    if 0x81 <= data[0] <= 0x97:
        return 1, data[0] - 0x80
    if data[0] == 0x98 and _MAX_IN_HEAD < data[1] <= MAX_PACK_RECORDS:
        return 2, data[1]
    return 0, 0


def _has_its_fields(record: "re.Match[bytes]") -> bool:
    """Whether as many fields follow as the head of the map says."""
    groups = record.groups()
    return groups[0][0] == 0xA0 + len(groups) - 1 - groups.count(None)


def _text(encoded: bytes) -> bytes:
    """The letters of a text whose length is as its head says; else none."""
    letters = encoded[1:] if encoded[0] < 0x78 else encoded[2:]
    length = encoded[0] - 0x60 if encoded[0] < 0x78 else encoded[1]
    if length != len(letters) or (encoded[0] == 0x78 and length <= _MAX_IN_HEAD):
        return b""
    return letters


def _fits(encoded: bytes | None, room: int) -> bool:
    """Whether a short text is as long as its head says, and not over `room`."""
    return encoded is None or len(encoded) - 1 == encoded[0] - 0x60 <= room


def _is_one_spelling(number: bytes | None) -> bool:
    """A decimal fraction has no zero at its end (wire-format §1)."""
    if number is None or number[0] != _DECIMAL_HEAD:
        return True
    head = number[3]
    small = head & 0x1F
    mantissa = small if small <= _MAX_IN_HEAD else int.from_bytes(number[4:], "big")
    return bool((mantissa + (head >> 5)) % 10)
