"""Opens receipts (wire-format §5) by position: there is one spelling, and a board has little RAM.

What a receipt must begin with follows from the envelope it answers, so all of that is one
comparison, and nothing here decodes what is not authenticated.
"""

from protocol import cose, envelope
from protocol.envelope import DOWN
from protocol.errors import BadMacError, MalformedError
from protocol.limits import MAX_TIME_MS
from protocol.mac import HmacKey, equal

_PAYLOAD_AT = 29
_TAG_BYTES = 34  # with its head
_FIELDS = 4
# that which needs one more byte than the head, two, four, eight (RFC 8949 §4.2.1)
_SMALLEST = (24, 1 << 8, 1 << 16, 1 << 32)


def open_sealed(key: HmacKey, data: bytes, sealed: bytes) -> tuple[int, int, int, int]:
    """The fields of the receipt for the envelope `sealed`, as in `receipt.Receipt`.

    Raises MalformedError, or BadMacError for any other envelope's, or another key's.
    """
    payload = _payload(data)
    number = envelope.number_in(sealed)
    protected = envelope.protected_header(envelope.kid_in(sealed), number)
    if data[3:28] != protected:
        raise BadMacError("a receipt for another envelope")
    if not equal(cose.tag(key, protected, payload, DOWN.encode()), data[-32:]):
        raise BadMacError("the tag does not fit")
    if not payload or payload[0] != 0xA0 | _FIELDS:
        raise MalformedError("a receipt has four fields")
    at = 1
    fields = []
    for label in range(1, _FIELDS + 1):
        field, at = _field(payload, at, label)
        fields.append(field)
    if at != len(payload):
        raise MalformedError("bytes after the last field of a receipt")
    index, time_ms, config_version, commands_waiting = fields
    return index, time_ms, config_version, commands_waiting


def open_news(data: bytes) -> tuple[int, int]:
    """What is observed at /c (wire-format §15.4): fields 3 and 4 of a receipt. MalformedError."""
    if data[:1] != b"\xa2":
        raise MalformedError("news are two fields")
    version, at = _field(data, 1, 3)
    commands, at = _field(data, at, 4)
    if at != len(data):
        raise MalformedError("bytes after the news")
    return version, commands


def _payload(data: bytes) -> bytes:
    """The payload of what has the shape of a receipt; it never takes more than 255 bytes."""
    end = len(data) - _TAG_BYTES
    if end <= _PAYLOAD_AT or data[:3] != b"\x84\x58\x19" or data[28] != 0xA0:
        raise MalformedError("no receipt")
    at, size = _PAYLOAD_AT + 1, data[_PAYLOAD_AT] - 0x40
    if data[_PAYLOAD_AT] == 0x58:
        at, size = at + 1, data[at]
        if size < 24:
            raise MalformedError("a length that is not in its shortest form")
    if at + size != end or data[end : end + 2] != b"\x58\x20":
        raise MalformedError("no receipt")
    return data[at:end]


def _field(payload: bytes, at: int, label: int) -> tuple[int, int]:
    """The number under `label`, which stands at `at`, and where it ends."""
    if at + 1 >= len(payload) or payload[at] != label:
        raise MalformedError(f"no field {label} in a receipt")
    number, power = payload[at + 1], payload[at + 1] - 24
    at += 2
    if power >= 0:
        if power > 3:
            raise MalformedError(f"field {label} of a receipt is not a number")
        end = at + (1 << power)
        number = int.from_bytes(payload[at:end], "big")
        if end > len(payload) or not _SMALLEST[power] <= number <= MAX_TIME_MS:
            raise MalformedError(f"field {label} of a receipt is out of range")
        at = end
    return number, at
