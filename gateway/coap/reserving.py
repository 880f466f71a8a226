"""Reserving: keeps `OwnNumbers` supplied, each chunk on stable storage before its first use."""

import asyncio
from collections.abc import Callable

import structlog

from gateway.coap.own_numbers import CHUNK, OwnNumbers, first_free
from gateway.errors import StoreFailedError
from gateway.store.number_file import NumberFile
from protocol.oscore import MAX_NUMBER

_RETRY_S = 1.0
_log = structlog.get_logger("oscore")


class Reserving:
    """`open` for the door; `run` beside it, as long as it serves."""

    def __init__(
        self, file: NumberFile, unix_ms: Callable[[], int], *, retry_s: float = _RETRY_S
    ) -> None:
        self._numbers = OwnNumbers()
        self._file = file
        self._unix_ms = unix_ms
        self._retry_s = retry_s
        self._stop: int | None = None  # all below it was reserved, perhaps for a former start
        self._wanted = asyncio.Event()
        self._complained = False
        self._numbers.wanting = self._wanted.set

    def open(self) -> OwnNumbers:
        """With a first chunk; where that fails, `run` tries it again."""
        try:
            self._grant(self._reserve())
        except StoreFailedError as error:
            self._complain(str(error))
            self._wanted.set()
        return self._numbers

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self._numbers.left > CHUNK // 2:
                continue
            try:
                # not on the event loop: a sync can take as long as the card likes
                self._grant(await asyncio.to_thread(self._reserve))
            except Exception as error:  # whatever it is, the task is not just gone
                self._complain(str(error) or repr(error))
                self._wanted.set()
                await asyncio.sleep(self._retry_s)

    def _reserve(self) -> tuple[int, int]:
        start = self._stop
        if start is None:
            start = first_free(self._file.read(), self._unix_ms())
        if start is None:
            raise StoreFailedError("the file of OSCORE numbers is not readable: set the clock")
        if start + CHUNK > MAX_NUMBER:
            raise StoreFailedError("all OSCORE numbers are used up: enrol devices anew")
        self._file.reserve(start + CHUNK)
        return start, start + CHUNK

    def _grant(self, reserved: tuple[int, int]) -> None:
        start, self._stop = reserved
        self._numbers.grant(start, self._stop)
        self._complained = False

    def _complain(self, detail: str) -> None:
        """Once: it is tried again each second."""
        if not self._complained:
            _log.warning("no notifications under OSCORE for now", detail=detail)
        self._complained = True
