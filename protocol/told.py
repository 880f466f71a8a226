"""Told: opens what a gateway answers at `/c` (wire-format §15), by position.

There is one spelling, and a board has little RAM: this is loaded for an answer, and forgotten.
"""

from protocol import asking, cose
from protocol.errors import BadMacError, MalformedError
from protocol.limits import (
    MAX_ARGUMENT_BYTES,
    MAX_COMMAND_BYTES,
    MAX_CONFIG_BYTES,
    MAX_PIECE_BYTES,
    MAX_TOLD_COMMANDS,
)
from protocol.mac import HmacKey, equal

_PAYLOAD_AT, _TAG_BYTES = 16, 34  # the tag with its head
_UINT, _BYTES, _TEXT, _ARRAY = 0, 2, 3, 4
_FALSE, _TRUE = 0xF4, 0xF5


def open_answer(
    key: HmacKey, data: bytes, kid: bytes, nonce: bytes
) -> "tuple[int, int, bytes, list[tuple[int, str, str]], bool]":
    """(version, size, piece, commands, withheld) as in `control.Answer`.

    Raises BadMacError for what does not answer this question, MalformedError for what is no answer.
    """
    end = len(data) - _TAG_BYTES
    protected = asking.protected_header(kid)
    if data[:_PAYLOAD_AT] != b"\x84\x4d" + protected + b"\xa0" or end < _PAYLOAD_AT:
        raise BadMacError("no answer to this device")
    reader = _Reader(data, _PAYLOAD_AT)
    size = reader.number(_BYTES)
    if reader.at + size != end or data[end : end + 2] != b"\x58\x20":
        raise MalformedError("no answer")
    if not equal(cose.tag(key, protected, data[reader.at : end], asking.TELL), data[end + 2 :]):
        raise BadMacError("the tag does not fit")
    fields = reader.fields(nonce)
    if reader.at != end:
        raise MalformedError("bytes after the last field of an answer")
    return fields


class _Reader:
    """Reads on from `at`: what stands there is as it has to be, or MalformedError."""

    def __init__(self, data: bytes, at: int) -> None:
        self.at = at
        self._data = data

    def fields(self, nonce: bytes) -> "tuple[int, int, bytes, list[tuple[int, str, str]], bool]":
        if self._take(3) != b"\xa6\x01\x48":
            raise MalformedError("an answer has six fields")
        if self._take(len(nonce)) != nonce:
            raise BadMacError("an answer to another question")
        self._label(2)
        version = self.number(_UINT)
        self._label(3)
        size = self.number(_UINT)
        self._label(4)
        piece = self._take(self.number(_BYTES))
        if size > MAX_CONFIG_BYTES or len(piece) > min(size, MAX_PIECE_BYTES):
            raise MalformedError("a piece is bytes of the text, and not too many")
        self._label(5)
        count = self.number(_ARRAY)
        if count > MAX_TOLD_COMMANDS:
            raise MalformedError("too many commands")
        commands = [self._command() for _ in range(count)]
        self._label(6)
        withheld = self._take(1)[0]
        if withheld not in (_FALSE, _TRUE):
            raise MalformedError("whether something is withheld is true or false")
        return version, size, piece, commands, withheld == _TRUE

    def _command(self) -> "tuple[int, str, str]":
        if self.number(_ARRAY) != 3:
            raise MalformedError("a command is [id, name, argument]")
        number = self.number(_UINT)
        name, argument = self._text(MAX_COMMAND_BYTES), self._text(MAX_ARGUMENT_BYTES)
        if not name:
            raise MalformedError("a command without a name")
        return number, name, argument

    def _label(self, label: int) -> None:
        if self._take(1)[0] != label:
            raise MalformedError(f"no field {label} where it has to be")

    def _text(self, most: int) -> str:
        size = self.number(_TEXT)
        if size > most:
            raise MalformedError("a text that is too long")
        try:
            return str(self._take(size), "utf-8")
        except UnicodeError:
            raise MalformedError("text that is not UTF-8")

    def number(self, major: int) -> int:
        """Of 32 bits, in the shortest head of this major type (RFC 8949 §4.2.1)."""
        initial = self._take(1)[0] - (major << 5)
        if 0 <= initial < 24:
            return initial
        if not 24 <= initial <= 26:
            raise MalformedError("not what has to be here")
        number = int.from_bytes(self._take(1 << initial - 24), "big")
        if number < (24, 1 << 8, 1 << 16)[initial - 24]:
            raise MalformedError("a number that is not in its shortest form")
        return number

    def _take(self, size: int) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) < size:
            raise MalformedError("ends too early")
        self.at += size
        return taken
