"""A device's name and secret as the identity of a CoAP client: requests under OSCORE.

FILE is a config.json, as `device add` makes it. FILE.numbers beside it says up to which number
its requests went, so that none is used twice. See docs/wire-format.md §14.
"""

import json
import time
from pathlib import Path

from gateway.coap.ccm import Ccm
from gateway.coap.own_numbers import first_free
from gateway.errors import ConfigError
from gateway.store.number_file import NumberFile
from protocol import pairing
from protocol.envelope import SECRET_BYTES, kid_of
from protocol.oscore import Asked, Plain, Sealed
from protocol.oscore_client import Client

ECHO = 252
_UNAUTHORIZED = 0x81
_CHUNK = 64  # reserved at once: a command asks for a few blocks, and is gone


class OscoreFile:
    """`protect` a request, `unprotect` its answer; `again` for one that has to prove it is new."""

    def __init__(self, path: Path) -> None:
        """ConfigError where FILE is no device's."""
        name, secret = _read(path)
        self._client = Client(pairing.device_keys(pairing.master_secret(secret), kid_of(name)), Ccm)
        self._numbers = NumberFile(path.with_name(path.name + ".numbers"))
        self._next = self._stop = 0

    def protect(self, plain: Plain) -> tuple[Sealed, Asked]:
        """What to send. StoreFailedError where its number cannot be put on file before."""
        return self._client.protect(self._number(), plain)

    def unprotect(
        self, asked: Asked, options: list[tuple[int, bytes]], payload: bytes
    ) -> tuple[Plain, int | None]:
        """The answer and its number, if it has one: of notifications the largest is the newest.

        A ProtocolError where it is not the gateway's: the codes of RFC 8613 §8.2 come without
        protection, and may be anybody's.
        """
        return self._client.unprotect(asked, options, payload)

    def _number(self) -> int:
        if self._next == self._stop:
            start = first_free(self._numbers.read(), time.time_ns() // 1_000_000)
            if start is None:
                raise ConfigError(
                    "nobody knows which OSCORE numbers were used", "set this machine's clock"
                )
            self._numbers.reserve(start + _CHUNK)
            self._next, self._stop = start, start + _CHUNK
        self._next += 1
        return self._next - 1


def again(plain: Plain, answer: Plain) -> Plain | None:
    """The request to send where `answer` asks for its Echo (RFC 9175 §2.3), else None."""
    echo = dict(answer.options).get(ECHO)
    if answer.code != _UNAUTHORIZED or echo is None:
        return None
    options = [option for option in plain.options if option[0] != ECHO]
    at = sum(1 for number, _ in options if number < ECHO)
    return Plain(plain.code, [*options[:at], (ECHO, echo), *options[at:]], plain.payload)


def _read(path: Path) -> tuple[str, bytes]:
    try:
        config = json.loads(path.read_text())
        name, secret = config["name"], bytes.fromhex(config["secret"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} is no device's config.json", "`tallystick device add NAME --out FILE`"
        ) from error
    if not isinstance(name, str) or len(secret) != SECRET_BYTES:
        raise ConfigError(f"{path} holds no name and secret", "`tallystick device add NAME`")
    return name, secret
