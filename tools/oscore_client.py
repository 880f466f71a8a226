"""A device's name and secret as the identity of a CoAP client: requests under OSCORE.

FILE is a config.json, as `device add` makes it. FILE.numbers beside it says up to which number
its requests went, so that none is used twice. See docs/wire-format.md §14.
"""

import json
import time
from pathlib import Path

from gateway.coap.ccm import Ccm
from gateway.coap.own_numbers import by_clock, first_free
from gateway.errors import ConfigError
from gateway.store.number_file import NumberFile
from protocol import pairing
from protocol.enrolment import MAC, SIG, kid_of
from protocol.envelope import SECRET_BYTES
from protocol.oscore_client import Client
from protocol.oscore_parts import Asked, Plain, Sealed
from tools import enrolling

_CHUNK = 64  # reserved at once: a command asks for a few blocks, and is gone


class OscoreFile:
    """`protect` a request, `unprotect` its answer. An Echo is the caller's to bring."""

    def __init__(self, path: Path) -> None:
        """ConfigError where FILE is no device's."""
        kid, secret = _read(path)
        self._client = Client(pairing.device_keys(pairing.master_secret(secret), kid), Ccm)
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
            now_ms = time.time_ns() // 1_000_000
            start = first_free(self._numbers.read(), by_clock(now_ms, newest_ms=0))
            if start is None:
                raise ConfigError(
                    "nobody knows which OSCORE numbers were used", "set this machine's clock"
                )
            self._numbers.reserve(start + _CHUNK)
            self._next, self._stop = start, start + _CHUNK
        self._next += 1
        return self._next - 1


def _read(path: Path) -> tuple[bytes, bytes]:
    """Kid and secret."""
    try:
        config = json.loads(path.read_text())
        name, secret = config["name"], bytes.fromhex(config["secret"])
        profile, generation = config.get("profile", MAC), config.get("generation", 0)
        key = bytes.fromhex(config.get("key", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} is no device's config.json", "`tallystick device add NAME --out FILE`"
        ) from error
    if not isinstance(name, str) or len(secret) != SECRET_BYTES:
        raise ConfigError(f"{path} holds no name and secret", "`tallystick device add NAME`")
    if profile == SIG and not key:
        raise ConfigError(
            f"{path} has no key: it is on the board alone", "enrol a name for this machine"
        )
    try:
        public_key = enrolling.public_key_to(key) if profile == SIG else b""
        return kid_of(name, profile, generation, public_key), secret
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} holds no key of a device", "`tallystick device add`") from error
