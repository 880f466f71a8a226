"""Reserving: keeps `OwnNumbers` supplied, each chunk on stable storage before its first use."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import structlog

from gateway.coap.own_numbers import (
    CHUNK,
    FIRST_CHUNK,
    PER_SECOND,
    OwnNumbers,
    by_clock,
    first_free,
    pace_from,
)
from gateway.errors import BusyError, StoreFailedError
from gateway.store.number_file import NumberFile
from protocol.oscore_parts import MAX_NUMBER

_RETRY_S = 1.0
_SOON_S = 0.02
_log = structlog.get_logger("oscore")


class Clock(NamedTuple):
    """`newest_ms` is the Unix time of the ledger's last entry; `now_ms` is monotonic."""

    unix_ms: Callable[[], int]
    now_ms: Callable[[], int]
    newest_ms: int


class Reserving:
    """`open` for the door; `run` beside it, as long as it serves."""

    def __init__(self, file: NumberFile, clock: Clock, *, retry_s: float = _RETRY_S) -> None:
        self._numbers = OwnNumbers()
        self._file = file
        self._clock = clock
        self._retry_s = retry_s
        self._chunk = FIRST_CHUNK
        self._pace = 0, 0  # a number, and the monotonic time at which it had come
        self._stop: int | None = None  # all below it was reserved, perhaps for a former start
        self._wanted = asyncio.Event()
        self._complained = False
        self._numbers.wanting = self._wanted.set
        self._numbers.come = self._come

    def open(self) -> OwnNumbers:
        """With a first chunk; where that fails, or it is too early, `run` tries it again."""
        try:
            self._grant(self._reserve())
        except BusyError:
            self._wanted.set()
        except StoreFailedError as error:
            self._complain(str(error))
            self._wanted.set()
        return self._numbers

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if not self._numbers.is_low:
                continue
            try:
                # not on the event loop: a sync can take as long as the card likes
                self._grant(await asyncio.to_thread(self._reserve))
            except BusyError:
                self._wanted.set()
                await asyncio.sleep(_SOON_S)
            except Exception as error:  # whatever it is, the task is not just gone
                self._complain(str(error) or repr(error))
                self._wanted.set()
                await asyncio.sleep(self._retry_s)

    def _reserve(self) -> tuple[int, int]:
        start = self._first() if self._stop is None else self._stop
        stop = start + self._chunk
        if stop > MAX_NUMBER:
            raise StoreFailedError("all OSCORE numbers are used up: enrol devices anew")
        self._file.reserve(stop)
        self._chunk = min(2 * self._chunk, CHUNK)
        return start, stop

    def _first(self) -> int:
        clock = by_clock(self._clock.unix_ms(), self._clock.newest_ms)
        start = first_free(self._file.read(), clock)
        if start is None:
            raise StoreFailedError("the file of OSCORE numbers is not readable: set the clock")
        pace = pace_from(start, clock)
        if start > pace:  # nothing is reserved before, so that no row of starts runs ahead of time
            raise BusyError("the last start was a moment ago, and has reserved what comes now")
        self._pace = pace, self._clock.now_ms()
        return start

    def _come(self) -> int:
        number, since_ms = self._pace
        return number + (self._clock.now_ms() - since_ms) * PER_SECOND // 1000

    def _grant(self, reserved: tuple[int, int]) -> None:
        start, self._stop = reserved
        self._numbers.grant(start, self._stop)
        self._complained = False

    def _complain(self, detail: str) -> None:
        """Once: it is tried again each second."""
        if not self._complained:
            _log.warning("no notifications under OSCORE for now", detail=detail)
        self._complained = True
