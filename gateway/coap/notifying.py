"""The task that reads what has changed and sends it to who observes it, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol

from gateway.coap.mishaps import Mishaps
from gateway.coap.notification import View
from gateway.coap.observe import Dice, Observers
from gateway.coap.requests import SERVER_ERROR, Request, Response

_AT_ONCE = 32  # datagrams between two turns of the event loop: under a millisecond of it
_MAX_WAIT_S = 3600
_PAUSE_S = 0.1  # after a turn that failed: if the next ones do, too, others have the loop
_WHERE = "notifications"


class Endpoint(Protocol):
    """What sends datagrams; an OSError of one is as if it had been lost."""

    def next_message_id(self) -> int: ...

    def send(self, data: bytes, peer: Hashable) -> None: ...


class Notifier:
    """`render` answers a GET with what is there now.

    Where that raises, which it should not, what is observed there ends with 5.00, and all other
    observations go on.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        render: Callable[[Request], Awaitable[Response]],
        mishaps: Mishaps,
        *,
        now_ms: Callable[[], int],
        random: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._render = render
        self._mishaps = mishaps
        self._now_ms = now_ms
        self._woken = asyncio.Event()
        dice = Dice(endpoint.next_message_id, random)
        self.observers = Observers(
            self._woken.set,
            dice,
            failed=lambda error: mishaps.note(_WHERE, error),
            sequence=now_ms() >> 6,
        )

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._turn()
            except Exception as error:
                self._mishaps.note(_WHERE, error)
                await asyncio.sleep(_PAUSE_S)

    async def _turn(self) -> None:
        self._woken.clear()
        view = self.observers.stale(self._now_ms())
        if view is not None:
            await self._show(view)
        outgoing = self.observers.due(self._now_ms(), _AT_ONCE)
        for data, peer in outgoing:
            self._endpoint.send(data, peer)
        if view is None and not outgoing:
            await self._rest()
        else:
            await asyncio.sleep(0)

    async def _show(self, view: View) -> None:
        try:
            self.observers.show(view, await self._render(view.request))
        except Exception as error:
            self._mishaps.note(_WHERE, error)
            self.observers.show(view, Response(SERVER_ERROR))

    async def _rest(self) -> None:
        due_ms = self.observers.next_due_ms()
        wait_s = _MAX_WAIT_S if due_ms is None else max(0, due_ms - self._now_ms()) / 1000
        try:
            async with asyncio.timeout(min(wait_s, _MAX_WAIT_S)):
                await self._woken.wait()
        except TimeoutError:
            pass
