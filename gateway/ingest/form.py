"""The one spelling of an envelope and of its receipt, taken apart and put together by position.

Deterministic CBOR leaves one form for each profile (wire-format §4, §5), and all but the
payload's head stands in it at a fixed place: a few comparisons here do what the readers in
`protocol` do with a decoder. What has another form is refused there, with its reason.
"""

import hmac
from hashlib import sha256
from typing import NamedTuple

from protocol.limits import MAX_ENVELOPE_BYTES
from protocol.sign1_reader import LARGEST_S

_HEAD = bytes.fromhex("84 5819 a3 0105 0448")  # [h'{1: 5, 4: h'kid
_CLAIMS = bytes.fromhex("0fa10748")  # , 15: {7: h'cti
_TAG_HEAD = bytes.fromhex("5820")
_PROTECTED = slice(1, 28)  # as a byte string, with its head
_KID, _EPOCH, _SEQUENCE = slice(8, 16), slice(20, 24), slice(24, 28)
_UNPROTECTED, _PAYLOAD = 28, 29  # {} and the payload, a byte string
_TAIL_BYTES = 34  # the tag with its head
_SHORTEST = _PAYLOAD + 1 + _TAIL_BYTES
# The same for a signature: the cti has `before` at its end, and the algorithm has two names
_SIGNED_HEADS = tuple(bytes.fromhex(f"84 582a a301{alg}0448") for alg in ("28", "26"))
_SIGNED_CLAIMS, _SIGNATURE_HEAD = bytes.fromhex("0fa1075818"), bytes.fromhex("5840")
_SIGNED_PROTECTED, _SIGNED_NUMBER = slice(1, 45), slice(21, 29)
_SIGNED_UNPROTECTED, _SIGNED_PAYLOAD = 45, 46
_SIGNED_TAIL_BYTES = 66
_SHORTEST_SIGNED = _SIGNED_PAYLOAD + 1 + _SIGNED_TAIL_BYTES
# ["MAC0", protected, external_aad, payload] (RFC 9052 §6.3), but for protected and payload
_MAC_HEAD, _UP, _DOWN = b"\x84\x64MAC0", b"\x42up", b"\x44down"
_SIGNATURE_CONTEXT = b"\x84\x6aSignature1"  # the same (RFC 9052 §4.4)
# A receipt's payload: {1: index, 2: time_ms, 3: config version, 4: commands waiting}
_RECEIPT_HEAD, _RECEIPT_TIME, _CONFIG, _COMMANDS = b"\xa4\x01", b"\x02", b"\x03", b"\x04"


class Parts(NamedTuple):
    """Of an envelope nobody has checked. `payload` is between `payload_at` and the tail."""

    data: bytes
    kid: bytes
    epoch: int
    sequence: int
    payload_at: int
    tail_bytes: int = _TAIL_BYTES

    @property
    def payload(self) -> bytes:
        return self.data[self.payload_at : -self.tail_bytes]


def split(data: bytes) -> Parts | None:
    """The parts of an envelope with a tag, None where `data` has not the form of one."""
    size = len(data)
    if not _SHORTEST <= size <= MAX_ENVELOPE_BYTES or not data.startswith(_HEAD):
        return None
    if data[16:20] != _CLAIMS or data[_UNPROTECTED] != 0xA0 or data[-34:-32] != _TAG_HEAD:
        return None
    at = _payload_at(data, _PAYLOAD, size - _TAIL_BYTES)
    if not at:
        return None
    epoch, sequence = int.from_bytes(data[_EPOCH], "big"), int.from_bytes(data[_SEQUENCE], "big")
    return Parts(data, data[_KID], epoch, sequence, at)


def split_signed(data: bytes) -> Parts | None:
    """The parts of an envelope with a signature, None where `data` has not the form of one."""
    size = len(data)
    if not _SHORTEST_SIGNED <= size <= MAX_ENVELOPE_BYTES or not data.startswith(_SIGNED_HEADS):
        return None
    if data[16:21] != _SIGNED_CLAIMS or data[_SIGNED_UNPROTECTED] != 0xA0:
        return None
    if data[-66:-64] != _SIGNATURE_HEAD or data[-32:] > LARGEST_S:
        return None
    at = _payload_at(data, _SIGNED_PAYLOAD, size - _SIGNED_TAIL_BYTES)
    if not at:
        return None
    number = data[_SIGNED_NUMBER]
    epoch, sequence = int.from_bytes(number[:4], "big"), int.from_bytes(number[4:], "big")
    return Parts(data, data[_KID], epoch, sequence, at, _SIGNED_TAIL_BYTES)


def signed_digest(parts: Parts) -> bytes:
    """The SHA-256 that the signature is over (RFC 9052 §4.4)."""
    data = parts.data
    payload = data[_SIGNED_PAYLOAD:-_SIGNED_TAIL_BYTES]
    return sha256(_SIGNATURE_CONTEXT + data[_SIGNED_PROTECTED] + _UP + payload).digest()


def signature(parts: Parts) -> bytes:
    """r ‖ s, 64 bytes."""
    return parts.data[2 - _SIGNED_TAIL_BYTES :]


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
    protected = _receipt_protected(parts)
    tag = hmac.digest(key, _MAC_HEAD + protected + _DOWN + payload, "sha256")
    return b"\x84" + protected + b"\xa0" + payload + _TAG_HEAD + tag


def _receipt_protected(parts: Parts) -> bytes:
    """As a byte string: a receipt has a tag, whatever its envelope has (wire-format §5)."""
    data = parts.data
    if parts.tail_bytes == _TAIL_BYTES:
        return data[_PROTECTED]
    return _HEAD[1:] + data[_KID] + _CLAIMS + data[_SIGNED_NUMBER]


def _payload_at(data: bytes, head_at: int, end: int) -> int:
    """Where the payload starts, if its head at `head_at` says that it ends at `end`; else 0."""
    head = data[head_at]
    if 0x40 <= head < 0x58:
        at, size = head_at + 1, head - 0x40
    elif head == 0x58:
        at, size = head_at + 2, data[head_at + 1]
        if size < 24:
            return 0
    elif head == 0x59:
        at, size = head_at + 3, data[head_at + 1] << 8 | data[head_at + 2]
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
