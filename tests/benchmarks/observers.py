"""What observers cost the event loop: `python -m tests.benchmarks.observers`.

No sockets: the notifier with its observers, over a resource that is read at once. One observation
for each peer, as NSTART allows one notification on its way to each. What others on the loop wait
for is the longest turn; readings are among them.
"""

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Any

from gateway.coap.mishaps import Mishaps
from gateway.coap.notification import View
from gateway.coap.notifying import Notifier
from gateway.coap.observe import MAX_OBSERVERS, Dice, Observers
from gateway.coap.requests import CONTENT, GET, Request, Response
from gateway.metrics import Metrics
from tests.benchmarks import figures
from tests.gateway.asking import observing

COUNTS = (10, 100, 1600, MAX_OBSERVERS)
ROUNDS = 5
_PATH = "home/door"
_SHOWN = Response(CONTENT, [(12, b"")], b"open")


class Wire:
    """Keeps the head of what is sent: its message ID is what an ACK brings."""

    def __init__(self) -> None:
        self.sent: list[tuple[Hashable, int]] = []
        self._message_id = 0

    def next_message_id(self) -> int:
        self._message_id = self._message_id + 1 & 0xFFFF
        return self._message_id

    def send(self, data: bytes, peer: Hashable) -> None:
        self.sent.append((peer, data[2] << 8 | data[3]))


def measured() -> dict[str, Any]:
    """The best of ROUNDS, for each number of observers."""
    found = {}
    for count in COUNTS:
        rounds = [_alone(count) | asyncio.run(_on_the_loop(count)) for _ in range(ROUNDS)]
        found[str(count)] = {name: min(one[name] for one in rounds) for name in rounds[0]}
    return found


def _alone(count: int) -> dict[str, float]:
    """Observers by themselves: a change is marked, written for each, acknowledged by each."""
    wire = Wire()
    observers = Observers(
        lambda: None, Dice(wire.next_message_id, lambda: 0.0), failed=_raise, most=count
    )
    changed = _register(observers, count)
    changed()
    view = observers.stale(0)
    assert view is not None
    marked = _ms(lambda: _show(observers, view))
    written = _ms(lambda: [wire.send(*one) for one in observers.due(0, count)])
    acknowledged = _ms(lambda: [observers.acknowledged(*one) for one in wire.sent])
    assert len(wire.sent) == count
    return {
        "marked_ms": round(marked, 2),
        "datagram_us": round(written / count * 1000, 2),
        "ack_us": round(acknowledged / count * 1000, 2),
    }


async def _on_the_loop(count: int) -> dict[str, float]:
    """How long the longest turn of the loop is from a change until all were told."""
    wire = Wire()

    async def render(request: Request) -> Response:
        return _SHOWN

    notifier = Notifier(wire, render, Mishaps(Metrics()), now_ms=lambda: 0, random=lambda: 0.0)
    running = asyncio.create_task(notifier.run())
    changed = _register(notifier.observers, count)
    await asyncio.sleep(0.01)
    started = before = time.perf_counter()
    longest = 0.0
    changed()
    while len(wire.sent) < count:
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    running.cancel()
    return {
        "all_told_ms": round((time.perf_counter() - started) * 1000, 2),
        "longest_turn_ms": round(longest * 1000, 2),
    }


def _register(observers: Observers, count: int) -> Callable[[], None]:
    """As many peers that observe one path; returns what says that it has changed."""
    said: list[Callable[[], None]] = []

    def watch(changed: Callable[[], None]) -> Callable[[], None]:
        said.append(changed)
        return lambda: None

    for peer in range(count):
        number = observers.register(observing(GET, _PATH, peer=peer), _PATH, watch, 0)
        assert number is not None
    return said[0]


def _show(observers: Observers, view: View) -> None:
    observers.show(view, _SHOWN)


def _raise(error: Exception) -> None:
    raise error


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    for count, figures_ in found.items():
        for name, value in figures_.items():
            print(f"{count:>5} {name:<20} {value:>9} {held.get(count, {}).get(name, ''):>9}")


if __name__ == "__main__":
    figures.report("observers", measured(), show)
