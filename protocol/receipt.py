"""Receipt: what the gateway answers once an envelope is kept (wire-format §5).

Sealed under the device's `down` key with the kid and cti of the envelope it answers, so it
is good for that envelope and no other. `receipt_reader` opens it.
"""

from collections import namedtuple

from protocol import cbor, envelope
from protocol.envelope import DOWN
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
