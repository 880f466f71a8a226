"""Deterministic CBOR (RFC 8949 §4.2): the reader. It accepts only what `protocol.cbor` writes."""

from protocol.cbor import Decimal
from protocol.errors import MalformedError, TooLargeError, UnsupportedError
from protocol.limits import MAX_CBOR_DEPTH, MAX_MANTISSA, MIN_EXPONENT

_UINT, _NINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 0, 1, 2, 3, 4, 5, 6, 7
_DECIMAL_TAG = 4
_SIMPLES = {20: False, 21: True, 22: None}
# additional information -> the smallest number that needs it (RFC 8949 §4.2.1)
_SMALLEST = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}


def decode(data: bytes) -> object:
    """The value of `data`, which must be whole, canonical and nothing more.

    Raises MalformedError, UnsupportedError (floats, other tags) or TooLargeError (nesting).
    """
    reader = _Reader(data)
    value = reader.value(MAX_CBOR_DEPTH)
    if reader.at != len(data):
        raise MalformedError(f"{len(data) - reader.at} bytes after the value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def value(self, depth: int) -> object:
        if depth == 0:
            raise TooLargeError(f"nested deeper than {MAX_CBOR_DEPTH}")
        major, number = self._head()
        if major == _UINT:
            return number
        if major == _NINT:
            return -1 - number
        if major == _BYTES:
            return self._take(number)
        if major == _TEXT:
            return self._text(number)
        return self._container(major, number, depth - 1)

    def _container(self, major: int, number: int, depth: int) -> object:
        if major == _ARRAY:
            return [self.value(depth) for _ in range(self._count(number))]
        if major == _MAP:
            return self._map(number, depth)
        if major == _TAG:
            return self._decimal(number, depth)
        return self._simple(number)

    def _head(self) -> tuple[int, int]:
        initial = self._take(1)[0]
        major, number = initial >> 5, initial & 31
        if number < 24:
            return major, number
        if number not in _SMALLEST:
            raise MalformedError(f"indefinite length or reserved head {initial:#04x}")
        if major == _SIMPLE:
            # f9, fa, fb are floats; f8 is a simple value we have no use for
            raise UnsupportedError("floats are not spoken here: use an integer or tag 4")
        smallest = _SMALLEST[number]
        number = int.from_bytes(self._take(1 << number - 24), "big")
        if number < smallest:
            raise MalformedError("a number that is not in its shortest form")
        return major, number

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise MalformedError("ends too early")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def _count(self, number: int) -> int:
        # every item takes a byte: an impossible count is refused before any memory is spent
        if number > len(self.data) - self.at:
            raise MalformedError("ends too early")
        return number

    def _text(self, size: int) -> str:
        data = self._take(size)
        try:
            text = str(data, "utf-8")
        except UnicodeError:
            raise MalformedError("text that is not UTF-8")
        if len(text) != size and not _is_utf8(text, data):
            raise MalformedError("text that is not UTF-8")  # pragma: no cover - MicroPython only
        return text

    def _map(self, number: int, depth: int) -> dict[int | str, object]:
        pairs: dict[int | str, object] = {}
        previous = b""
        for _ in range(self._count(number)):
            start = self.at
            key = self.value(depth)
            if not isinstance(key, (int, str)) or key is True or key is False:
                raise UnsupportedError("a map key that is neither integer nor text")
            spelling = self.data[start : self.at]
            if spelling <= previous:
                raise MalformedError("map keys out of order or twice")
            previous = spelling
            pairs[key] = self.value(depth)
        return pairs

    def _decimal(self, tag: int, depth: int) -> Decimal:
        if tag != _DECIMAL_TAG:
            raise UnsupportedError(f"tag {tag}")
        parts = self.value(depth)
        if not isinstance(parts, list) or len(parts) != 2:
            raise MalformedError("a decimal fraction is [exponent, mantissa]")
        exponent, mantissa = parts
        for part in parts:
            if not isinstance(part, int) or part is True or part is False:
                raise MalformedError("a decimal fraction is made of integers")
        if not MIN_EXPONENT <= exponent < 0 or mantissa % 10 == 0:
            raise MalformedError("a decimal fraction that is not in its one spelling")
        if not -MAX_MANTISSA <= mantissa <= MAX_MANTISSA:
            raise TooLargeError("a mantissa over 63 bits")
        return Decimal(mantissa, exponent)

    def _simple(self, number: int) -> bool | None:
        if number not in _SIMPLES:
            raise UnsupportedError(f"simple value {number}")
        return _SIMPLES[number]


def _is_utf8(text: str, data: bytes) -> bool:
    """Whether `data` is the one spelling of `text` (RFC 3629 §3).

    MicroPython's own check lets overlong forms, surrogates and too large letters pass.
    """
    numbers = [ord(letter) for letter in text]
    scalars = [n for n in numbers if n < 0xD800 or 0xDFFF < n < 0x110000]
    return "".join([chr(n) for n in scalars]).encode() == data
