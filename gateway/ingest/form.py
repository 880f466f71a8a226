"""The one spelling of an envelope and of its receipt, taken apart and put together by position.

Deterministic CBOR leaves one form for each (wire-format §4, §5), and all but the payload's head
stands in it at a fixed place: a few comparisons here do what `envelope_reader.parse` does with a
decoder. What has another form is refused there, with its reason.
"""

import hmac
from typing import NamedTuple

from protocol.limits import MAX_ENVELOPE_BYTES

_HEAD = bytes.fromhex("84 5819 a3 0105 0448")  # [h'{1: 5, 4: h'kid
_CLAIMS = bytes.fromhex("0fa10748")  # , 15: {7: h'cti
_TAG_HEAD = bytes.fromhex("5820")
_PROTECTED = slice(1, 28)  # as a byte string, with its head
_KID, _EPOCH, _SEQUENCE = slice(8, 16), slice(20, 24), slice(24, 28)
_UNPROTECTED, _PAYLOAD = 28, 29  # {} and the payload, a byte string
_TAIL_BYTES = 34  # the tag with its head
_SHORTEST = _PAYLOAD + 1 + _TAIL_BYTES
# ["MAC0", protected, external_aad, payload] (RFC 9052 §6.3), but for protected and payload
_MAC_HEAD, _UP, _DOWN = b"\x84\x64MAC0", b"\x42up", b"\x44down"
# A receipt's payload: {1: index, 2: time_ms, 3: config version, 4: commands waiting}
_RECEIPT_HEAD, _RECEIPT_TIME, _CONFIG, _COMMANDS = b"\xa4\x01", b"\x02", b"\x03", b"\x04"


class Parts(NamedTuple):
    """Of an envelope nobody has checked. `payload` starts at `payload_at`."""

    data: bytes
    kid: bytes
    epoch: int
    sequence: int
    payload_at: int

    @property
    def payload(self) -> bytes:
        return self.data[self.payload_at : -_TAIL_BYTES]


def split(data: bytes) -> Parts | None:
    """The parts of an envelope, None where `data` has not the form of one."""
    size = len(data)
    if not _SHORTEST <= size <= MAX_ENVELOPE_BYTES or not data.startswith(_HEAD):
        return None
    if data[16:20] != _CLAIMS or data[_UNPROTECTED] != 0xA0 or data[-34:-32] != _TAG_HEAD:
        return None
    at = _payload_at(data, size - _TAIL_BYTES)
    if not at:
        return None
    epoch, sequence = int.from_bytes(data[_EPOCH], "big"), int.from_bytes(data[_SEQUENCE], "big")
    return Parts(data, data[_KID], epoch, sequence, at)


def is_sealed(parts: Parts, key: bytes) -> bool:
    """Whether `key` (of the direction up) made the tag (RFC 9052 §6.2)."""
    data = parts.data
    message = _MAC_HEAD + data[_PROTECTED] + _UP + data[_PAYLOAD:-_TAIL_BYTES]
    return hmac.compare_digest(hmac.digest(key, message, "sha256"), data[-32:])


def news(config_version: int, commands: int) -> bytes:
    """What a receipt says of the device's configuration and of commands that wait for it."""
    return _CONFIG + _uint(config_version) + _COMMANDS + _uint(commands)


NO_NEWS = _CONFIG + b"\x00" + _COMMANDS + b"\x00"


def receipt(parts: Parts, key: bytes, index: int, time_ms: int, told: bytes = NO_NEWS) -> bytes:
    """The receipt for an envelope, under `key` (of the direction down); see protocol.receipt."""
    fields = _RECEIPT_HEAD + _uint(index) + _RECEIPT_TIME + _uint(time_ms) + told
    payload = bytes((0x40 | len(fields),)) + fields if len(fields) < 24 else _long(fields)
    protected = parts.data[_PROTECTED]
    tag = hmac.digest(key, _MAC_HEAD + protected + _DOWN + payload, "sha256")
    return b"\x84" + protected + b"\xa0" + payload + _TAG_HEAD + tag


def _payload_at(data: bytes, end: int) -> int:
    """Where the payload starts, if its head says that it ends at `end`; else 0."""
    head = data[_PAYLOAD]
    if 0x40 <= head < 0x58:
        at, size = 30, head - 0x40
    elif head == 0x58:
        at, size = 31, data[30]
        if size < 24:
            return 0
    elif head == 0x59:
        at, size = 32, data[30] << 8 | data[31]
        if size < 256:
            return 0
    else:
        return 0
    return at if at + size == end else 0


def _uint(number: int) -> bytes:
    """RFC 8949 §4.2.1: in the fewest bytes."""
    if number < 24:
        return bytes((number,))
    if number < 1 << 8:
        return bytes((0x18, number))
    if number < 1 << 16:
        return b"\x19" + number.to_bytes(2, "big")
    if number < 1 << 32:
        return b"\x1a" + number.to_bytes(4, "big")
    return b"\x1b" + number.to_bytes(8, "big")


def _long(fields: bytes) -> bytes:
    return bytes((0x58, len(fields))) + fields
