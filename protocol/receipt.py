"""Receipt: what the gateway answers once an envelope is kept (wire-format §5).

Sealed under the device's `down` key with the kid and cti of the envelope it answers, so it
is good for that envelope and no other.
"""

from collections import namedtuple

from protocol import cbor, envelope
from protocol.envelope import DOWN, Envelope
from protocol.errors import BadMacError, MalformedError
from protocol.limits import MAX_TIME_MS
from protocol.mac import HmacKey

_INDEX, _TIME_MS, _CONFIG_VERSION, _COMMANDS = 1, 2, 3, 4


class Receipt(namedtuple("Receipt", ("index", "time_ms", "config_version", "commands_waiting"))):
    """`time_ms` is the gateway's clock, Unix ms; 0 where the gateway does not trust it."""

    index: int
    time_ms: int
    config_version: int
    commands_waiting: int


def seal(key: HmacKey, receipt: Receipt, *, kid: bytes, epoch: int, sequence: int) -> bytes:
    payload = cbor.encode(
        {
            _INDEX: receipt.index,
            _TIME_MS: receipt.time_ms,
            _CONFIG_VERSION: receipt.config_version,
            _COMMANDS: receipt.commands_waiting,
        }
    )
    return envelope.seal(key, DOWN, kid, epoch=epoch, sequence=sequence, payload=payload)


def open_sealed(key: HmacKey, data: bytes, sent: Envelope) -> Receipt:
    """The receipt for the envelope `sent`. Raises BadMacError for any other one's."""
    answer = envelope.parse(data)
    envelope.check(answer, key, DOWN)
    if (answer.kid, answer.epoch, answer.sequence) != (sent.kid, sent.epoch, sent.sequence):
        raise BadMacError("a receipt for another envelope")
    fields = cbor.decode(answer.payload)
    if not isinstance(fields, dict) or len(fields) != 4:
        raise MalformedError("a receipt has four fields")
    return Receipt(
        *[_whole(fields, label) for label in (_INDEX, _TIME_MS, _CONFIG_VERSION, _COMMANDS)]
    )


def _whole(fields: dict[int, object], label: int) -> int:
    number = fields.get(label)
    if number is True or number is False or not isinstance(number, int):
        raise MalformedError(f"field {label} of a receipt is not a number")
    if not 0 <= number <= MAX_TIME_MS:
        raise MalformedError(f"field {label} of a receipt is out of range")
    return number
