"""Who observes what, and which notification each is owed (RFC 7641). Pure: no timer, no socket.

An observer is owed the newest state, never all of them. Each notification is a CON, so the
peer's ACK sets the pace, and a peer that is gone is found out. A peer has one in flight
(RFC 7252 §4.7: NSTART is 1); a state that changes meanwhile waits, and takes the place of the
older one when that would be sent again (RFC 7641 §4.5.2). What an ACK costs does not grow.
"""

from collections.abc import Callable, Hashable
from heapq import heappop, heappush
from typing import NamedTuple

from gateway.coap.notification import View
from gateway.coap.requests import Request, Response
from protocol.limits import ACK_TIMEOUT_MS, MAX_RETRANSMIT

MAX_OBSERVERS = 4096
MAX_PER_PEER = 16
# RFC 7641 §4.5 wants a CON at least every 24 h; an hour gives the places of the gone back sooner.
REFRESH_MS = 3_600_000
_RANDOM_FACTOR = 0.5  # RFC 7252 §4.8: ACK_RANDOM_FACTOR is 1.5

Watch = Callable[[Callable[[], None]], Callable[[], None]]


class Outgoing(NamedTuple):
    """A datagram, and whom it is for."""

    data: bytes
    peer: Hashable


class Dice(NamedTuple):
    """`random` is in [0, 1); message IDs are the endpoint's, for all it sends."""

    next_message_id: Callable[[], int]
    random: Callable[[], float]


class _Observer:
    """`told` is the number of the state that was sent last; `ending` is told one more."""

    __slots__ = ("ending", "request", "told", "view")

    def __init__(self, request: Request, view: View, told: int) -> None:
        self.request = request
        self.view = view
        self.told = told
        self.ending = False


class _Flight:
    """A CON on its way, until it is acknowledged, reset or given up."""

    __slots__ = ("attempts", "data", "due_ms", "message_id", "observer", "timeout_ms")

    def __init__(self, observer: _Observer, timeout_ms: int) -> None:
        self.observer = observer
        self.timeout_ms = timeout_ms
        self.attempts = 0
        self.due_ms = 0
        self.message_id = -1
        self.data = b""


class _Peer:
    """One endpoint's observations, those that wait, the one in flight, and when to look again."""

    __slots__ = ("flight", "observers", "timer_ms", "waiting")

    def __init__(self) -> None:
        self.observers: dict[bytes, _Observer] = {}
        self.waiting: dict[_Observer, None] = {}
        self.flight: _Flight | None = None
        self.timer_ms: int | None = None


class Observers:
    """All of one door. `wake` is called when there is something to read or to send, `failed` where
    an observation ends because no notification of it can be written.

    `sequence` is where the numbers start: at a clock, so that they go on over a restart.
    """

    def __init__(
        self,
        wake: Callable[[], None],
        dice: Dice,
        *,
        failed: Callable[[Exception], None],
        sequence: int = 0,
        most: int = MAX_OBSERVERS,
    ) -> None:
        self._wake = wake
        self._dice = dice
        self._failed = failed
        self._sequence = sequence
        self._most = most
        self._count = 0
        self._peers: dict[Hashable, _Peer] = {}
        self._views: dict[Hashable, View] = {}  # the one read longest ago first
        self._members: dict[View, dict[_Observer, None]] = {}
        self._stale: dict[Hashable, None] = {}
        self._ready: dict[Hashable, None] = {}  # peers that wait and have nothing in flight
        self._timers: list[tuple[int, int, Hashable]] = []
        self._timers_set = 0

    def __len__(self) -> int:
        return self._count

    def register(self, request: Request, key: Hashable, watch: Watch, now_ms: int) -> int | None:
        """The number for the answer, which is read after this; None where there is no place.

        `key` is the same for requests that the same bytes answer. The same token again is the
        same observation, anew (RFC 7641 §4.1).
        """
        self.cancel(request.peer, request.token)
        held = self._peers.get(request.peer)
        if self._count >= self._most or (held and len(held.observers) >= MAX_PER_PEER):
            return None
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = View(request, key, now_ms)
            view.unwatch = watch(lambda: self._changed(key))
            self._members[view] = {}
        observer = _Observer(request, view, self._next())
        self._members[view][observer] = None
        self._peers.setdefault(request.peer, _Peer()).observers[request.token] = observer
        self._count += 1
        return observer.told

    def cancel(self, peer: Hashable, token: bytes) -> None:
        """GET with Observe 1, or the answer was a refusal (RFC 7641 §3.6, §4.1)."""
        held = self._peers.get(peer)
        if held and token in held.observers:
            self._remove(held.observers[token])

    def acknowledged(self, peer: Hashable, message_id: int) -> bool:
        """Whether that was ours; what the peer waits for can go now."""
        observer = self._landed(peer, message_id)
        if observer is None:
            return False
        if observer.ending:
            self._remove(observer)
        elif observer.told < observer.view.shown:
            self._owe(observer)
        held = self._peers.get(peer)
        if held and held.waiting:
            self._ready[peer] = None
            self._wake()
        return True

    def reset(self, peer: Hashable, message_id: int) -> bool:
        """Whether that was ours: the peer wants no more of it (RFC 7641 §3.6)."""
        observer = self._landed(peer, message_id)
        if observer is not None:
            self._remove(observer)
        return observer is not None

    def stale(self, now_ms: int) -> View | None:
        """A view to be read again, then `show`n: it changed, or was not read for an hour."""
        key = next(iter(self._stale), None)
        if key is None:
            key = next(iter(self._views), None)
            if key is None or now_ms - self._views[key].read_ms < REFRESH_MS:
                return None
        self._stale.pop(key, None)
        view = self._views[key] = self._views.pop(key)
        view.read_ms = now_ms
        view.reading = self._next()  # before it is read: a later number is never an older state
        return view

    def show(self, view: View, response: Response) -> None:
        """What the view is now; all who observe it are owed it. A refusal ends them."""
        members = self._members.get(view)
        if members is None:
            return
        view.show(response)
        if response.refused:
            self._forget(view)
        for observer in members:
            observer.ending = response.refused
            if response.refused or observer.told < view.shown:
                self._owe(observer)
        self._wake()

    def due(self, now_ms: int, limit: int) -> list[Outgoing]:
        """At most `limit` datagrams to send now: what is sent again, then what is new."""
        out: list[Outgoing] = []
        while self._timers and self._timers[0][0] <= now_ms and len(out) < limit:
            due_ms, _, peer = heappop(self._timers)
            held = self._peers.get(peer)
            if held and held.timer_ms == due_ms:
                held.timer_ms = None
                out += self._timed_out(peer, held, now_ms)
        while self._ready and len(out) < limit:
            peer = next(iter(self._ready))
            del self._ready[peer]
            held = self._peers[peer]
            observer = next(iter(held.waiting))
            factor = 1 + _RANDOM_FACTOR * self._dice.random()
            held.flight = _Flight(observer, int(ACK_TIMEOUT_MS * factor))
            out.append(self._launch(peer, held, held.flight, now_ms))
        return [one for one in out if one.data]

    def next_due_ms(self) -> int | None:
        """When to ask `stale` and `due` again, if nobody wakes before."""
        times = [self._timers[0][0]] if self._timers else []
        if self._views:
            times.append(next(iter(self._views.values())).read_ms + REFRESH_MS)
        return min(times, default=None)

    def _changed(self, key: Hashable) -> None:
        if key in self._views:
            self._stale[key] = None
            self._wake()

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _owe(self, observer: _Observer) -> None:
        held = self._peers[observer.request.peer]
        if held.flight is not None and held.flight.observer is observer:
            return  # the ACK, or the time to send again, will find the newer state
        held.waiting[observer] = None
        if held.flight is None:
            self._ready[observer.request.peer] = None

    def _landed(self, peer: Hashable, message_id: int) -> _Observer | None:
        held = self._peers.get(peer)
        if held is None or held.flight is None or held.flight.message_id != message_id:
            return None
        observer, held.flight = held.flight.observer, None
        return observer

    def _timed_out(self, peer: Hashable, held: _Peer, now_ms: int) -> list[Outgoing]:
        flight = held.flight
        if flight is None:
            return []
        if flight.due_ms > now_ms:
            self._set_timer(peer, held, flight.due_ms)
            return []
        if flight.attempts > MAX_RETRANSMIT:
            for observer in list(held.observers.values()):
                self._remove(observer)  # it is the endpoint that is gone
            return []
        return [self._launch(peer, held, flight, now_ms)]

    def _launch(self, peer: Hashable, held: _Peer, flight: _Flight, now_ms: int) -> Outgoing:
        """The same bytes again, or the newer state under a message ID of its own."""
        observer = flight.observer
        held.waiting.pop(observer, None)
        if not flight.data or observer.told < observer.view.shown:
            flight.message_id = self._dice.next_message_id()
            try:
                flight.data = observer.view.notification(observer.request, flight.message_id)
            except Exception as error:  # not foreseen: it ends alone
                self._failed(error)
                self._remove(observer)
                return Outgoing(b"", peer)
            observer.told = observer.view.shown
        flight.attempts += 1
        flight.due_ms = now_ms + flight.timeout_ms
        flight.timeout_ms *= 2
        if held.timer_ms is None or flight.due_ms < held.timer_ms:
            self._set_timer(peer, held, flight.due_ms)
        return Outgoing(flight.data, peer)

    def _set_timer(self, peer: Hashable, held: _Peer, due_ms: int) -> None:
        held.timer_ms = due_ms
        self._timers_set += 1
        heappush(self._timers, (due_ms, self._timers_set, peer))

    def _remove(self, observer: _Observer) -> None:
        peer, token = observer.request.peer, observer.request.token
        held = self._peers[peer]
        del held.observers[token]
        held.waiting.pop(observer, None)
        if held.flight is not None and held.flight.observer is observer:
            held.flight = None
        if not held.observers:
            del self._peers[peer]
        if not held.waiting:
            self._ready.pop(peer, None)
        elif held.flight is None:
            self._ready[peer] = None
            self._wake()
        self._count -= 1
        del self._members[observer.view][observer]
        if not self._members[observer.view]:
            self._forget(observer.view)
            del self._members[observer.view]

    def _forget(self, view: View) -> None:
        """Nobody is to be told of its changes any more; who is owed the last one still is."""
        if self._views.get(view.key) is view:
            del self._views[view.key]
            self._stale.pop(view.key, None)
            view.unwatch()
