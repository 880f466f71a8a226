"""Stop: how a program is told to end, from outside or by a part of it that cannot go on."""

import asyncio
from collections.abc import Callable

import structlog

from gateway.errors import FatalError

Failed = Callable[[BaseException], None]  # how a part says that it cannot go on
_log = structlog.get_logger("stop")


class Stop:
    """Set from outside to end, or by a part that cannot go on, with its error."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.error: FatalError | None = None

    def failed(self, error: BaseException) -> None:
        if not isinstance(error, FatalError):
            _log.error("unexpected", error=repr(error))
            error = FatalError(
                f"the state of this program is unknown: {error!r}",
                "start it again; it checks itself. If this repeats, please report it",
            )
        self.error = self.error or error
        self.event.set()
