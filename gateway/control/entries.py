"""What the ledger keeps of a configuration and of a command: who told which device what.

A secret is never in it. Of a configuration that has some, the rest is there, and a tag over the
whole that only who has the device's secret can check: a plain hash could be guessed at.
"""

import json

from protocol import cbor, cose
from protocol.mac import HmacKey

SECRET_KEYS = ("secret", "wifi")  # of a configuration: told under OSCORE only
_WHO, _NUMBER = 1, 2
_TEXT, _TAG = 3, 4  # of a configuration
_NAME, _ARGUMENT = 3, 4  # of a command
_AAD = b"config"


def has_secrets(text: bytes) -> bool:
    return any(key in SECRET_KEYS for key in json.loads(text))


def without_secrets(text: bytes) -> str:
    """As `spelled`, with null in the place of each secret."""
    fields = json.loads(text)
    return spelled({key: None if key in SECRET_KEYS else fields[key] for key in fields}).decode()


def spelled(fields: dict[str, object]) -> bytes:
    """A configuration's text: every byte of it goes over the air."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def config_body(who: str, version: int, text: bytes, *, down: bytes) -> bytes:
    tag = cose.tag(HmacKey(down), b"", text, _AAD)
    return cbor.encode({_WHO: who, _NUMBER: version, _TEXT: without_secrets(text), _TAG: tag})


def command_body(who: str, number: int, name: str, argument: str) -> bytes:
    return cbor.encode({_WHO: who, _NUMBER: number, _NAME: name, _ARGUMENT: argument})
