"""The task that reads what has changed and sends it to who observes it, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol

from gateway.coap.observe import Dice, Observers
from gateway.coap.requests import Request, Response

_AT_ONCE = 32  # datagrams between two turns of the event loop: under a millisecond of it
_MAX_WAIT_S = 3600


class Endpoint(Protocol):
    """What sends datagrams; an OSError of one is as if it had been lost."""

    def next_message_id(self) -> int: ...

    def send(self, data: bytes, peer: Hashable) -> None: ...


class Notifier:
    """`render` answers a GET with what is there now; it raises nothing."""

    def __init__(
        self,
        endpoint: Endpoint,
        render: Callable[[Request], Awaitable[Response]],
        *,
        now_ms: Callable[[], int],
        random: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._render = render
        self._now_ms = now_ms
        self._woken = asyncio.Event()
        dice = Dice(endpoint.next_message_id, random)
        self.observers = Observers(self._woken.set, dice, sequence=now_ms() >> 6)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._woken.clear()
            view = self.observers.stale(self._now_ms())
            if view is not None:
                self.observers.show(view, await self._render(view.request))
            outgoing = self.observers.due(self._now_ms(), _AT_ONCE)
            for data, peer in outgoing:
                self._endpoint.send(data, peer)
            if view is None and not outgoing:
                await self._rest()
            else:
                await asyncio.sleep(0)

    async def _rest(self) -> None:
        due_ms = self.observers.next_due_ms()
        wait_s = _MAX_WAIT_S if due_ms is None else max(0, due_ms - self._now_ms()) / 1000
        try:
            async with asyncio.timeout(min(wait_s, _MAX_WAIT_S)):
                await self._woken.wait()
        except TimeoutError:
            pass
