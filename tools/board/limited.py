"""A serial port with a deadline on every call: mpremote's own loops wait for ever in places."""

import time
from typing import Protocol

_SLICE_S = 0.2


class LateError(Exception):
    """The deadline has passed."""


class GoneError(Exception):
    """The port cannot be read or written any more."""


class Port(Protocol):
    """What is used of `serial.Serial`."""

    timeout: float | None

    def read(self, size: int = 1) -> bytes: ...

    def write(self, data: bytes) -> int | None: ...

    def inWaiting(self) -> int: ...  # noqa: N802  # pyserial's name, which mpremote calls


class Limited:
    """In the place of the port that `SerialTransport` holds. `until` is by time.monotonic()."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.until = time.monotonic()
        self._ahead = b""
        port.timeout = _SLICE_S

    def read(self, size: int = 1) -> bytes:
        """All of `size`; LateError where they do not come, GoneError where they cannot."""
        while len(self._ahead) < size:
            self._check()
            try:
                # all that is there: mpremote asks for one byte after the other
                self._ahead += self.port.read(max(self.port.inWaiting(), size - len(self._ahead)))
            except OSError as error:
                raise GoneError from error
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data

    def write(self, data: bytes) -> int:
        self._check()
        try:
            return self.port.write(data) or 0
        except OSError as error:
            raise GoneError from error

    def inWaiting(self) -> int:  # noqa: N802
        self._check()
        try:
            return len(self._ahead) + self.port.inWaiting()
        except OSError as error:
            raise GoneError from error

    def _check(self) -> None:
        if time.monotonic() > self.until:
            raise LateError
