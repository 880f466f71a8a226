"""Records as nearly all boards write them, by a regular expression that leaves nothing to check.

After the first of a pack: a name, a unit or none, a number, a time or none. Texts have at most
23 letters, integers at most four bytes, the mantissas of decimal fractions at most two. So each
length is said by the pattern itself, and that no fraction ends in a zero.
"""

import re
from collections.abc import Callable

_MAX_IN_HEAD = 23  # RFC 8949 §3: up to here a length or a number stands in the head itself
_TEXT, _NEGATIVE, _MAP = 0x60, 0x20, 0xA0
_EVEN = range(0, 10, 2)  # what a multiple of 256 can leave, divided by ten


def _among(holds: Callable[[int], bool]) -> bytes:
    """A byte for which that holds."""
    return b"[" + b"".join(re.escape(bytes((byte,))) for byte in range(256) if holds(byte)) + b"]"


def _text(letters: bytes) -> bytes:
    lengths = (
        re.escape(bytes((_TEXT + length,))) + b"[%s]{%d}" % (letters, length)
        for length in range(_MAX_IN_HEAD + 1)
    )
    return b"(?:" + b"|".join(lengths) + b")"


def _mantissa(sign: int) -> bytes:
    """An integer that is not a multiple of ten; `sign` is 1 for -1 - n (RFC 8949 §3.1)."""
    head = sign * _NEGATIVE

    def counts(n: int) -> bool:
        return (n + sign) % 10 != 0

    def two_bytes(rest: int) -> bytes:
        """Two bytes, of which the high one leaves that rest by itself."""
        high = _among(lambda byte: byte > 0 and byte * 256 % 10 == rest)
        return high + _among(lambda low: counts(rest + low))

    small = _among(lambda byte: 0 <= byte - head <= _MAX_IN_HEAD and counts(byte - head))
    one = re.escape(bytes((head + 24,))) + _among(lambda n: n > _MAX_IN_HEAD and counts(n))
    two = re.escape(bytes((head + 25,))) + b"(?:" + b"|".join(map(two_bytes, _EVEN)) + b")"
    return b"|".join((small, one, two))


_INTEGER = (
    rb"[\x00-\x17\x20-\x37]|[\x18\x38][\x18-\xff]|[\x19\x39](?!\x00).{2}|[\x1a\x3a](?!\x00\x00).{4}"
)
_FRACTION = rb"\xc4\x82[\x20-\x31](?:" + _mantissa(0) + b"|" + _mantissa(1) + b")"
_NUMBER = b"(?:" + _INTEGER + b"|" + _FRACTION + b")"
_NAME, _UNIT = rb"\x00" + _text(rb"-:./_0-9A-Za-z"), rb"\x01" + _text(rb"-:./_0-9A-Za-z%")
_VALUE, _TIME = rb"\x02" + _NUMBER, rb"\x06" + _NUMBER
_FORMS = (
    (_NAME, _UNIT, _VALUE, _TIME),
    (_NAME, _UNIT, _VALUE),
    (_NAME, _VALUE, _TIME),
    (_NAME, _VALUE),
)
_RECORD = re.compile(
    b"|".join(re.escape(bytes((_MAP + len(form),))) + b"".join(form) for form in _FORMS), re.DOTALL
)


def are_plain(data: bytes, at: int, count: int) -> bool:
    """Whether all of `data` from `at` on is `count` such records."""
    records = _RECORD.findall(data, at)
    return len(records) == count and sum(map(len, records)) == len(data) - at
